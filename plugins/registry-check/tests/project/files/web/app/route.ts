import { openai } from '@ai-sdk/openai';
import { anthropic } from '@ai-sdk/anthropic';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { streamText, type ModelMessage } from 'ai';

const openrouter = createOpenRouter({ apiKey: process.env.OPENROUTER_API_KEY });

/** Streams the answer; `gpt-4` is kept for old links. */
export async function POST(request: Request) {
  const { messages, careful }: { messages: ModelMessage[]; careful?: boolean } = await request.json();
  if (request.headers.get('user-agent')?.includes('gpt-4')) {
    return new Response('gpt-4 may not call itself', { status: 403 });
  }
  const result = streamText({
    model: careful ? anthropic('claude-3-opus-20240229') : openai('gpt-4o'),
    messages,
  });
  return result.toUIMessageStreamResponse();
}

export const review = {
  model: openrouter('anthropic/claude-3-opus'),
  spare: openrouter('anthropic/claude-sonnet-4.5'),
};
