import { useState } from 'react';

export const MODELS = ['openai/gpt-5.6-sol', 'openai/gpt-4o-mini'] as const;

export function Picker({ onPick }: { onPick: (model: string) => void }) {
  const [model, setModel] = useState('openai/gpt-4');
  // An <option> for openai/gpt-3.5-turbo was here.
  return (
    <label htmlFor="gpt-4">
      Answered by
      <select defaultValue={model} onChange={(event) => setModel(event.target.value)}>
        {MODELS.map((id) => (
          <option key={id} value={id} onClick={() => onPick(id)}>
            {id}
          </option>
        ))}
      </select>
      <img src="/logos/openai/gpt-4.svg" alt="gpt-4 logo" />
    </label>
  );
}
