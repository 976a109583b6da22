// The five types that Mastra 1.71.0 exports, for three providers, spelled out by hand.

export type ProviderModelsMap = {
  readonly '302ai': readonly ['gpt-4o'];
  readonly openai: readonly ['gpt-4o', 'o3'];
  readonly openrouter: readonly ['openai/gpt-4o:free', 'qwen/qwen3'];
};

export type Provider = '302ai' | 'openai' | 'openrouter';

export interface ProviderModels {
  [provider: string]: string[];
}

export type ModelRouterModelId =
  | '302ai/gpt-4o'
  | 'openai/gpt-4o'
  | 'openai/o3'
  | 'openrouter/openai/gpt-4o:free'
  | 'openrouter/qwen/qwen3'
  | 'mastra/openai/gpt-4o:free'
  | 'mastra/qwen/qwen3'
  | (string & {});

export type ModelForProvider<P extends Provider> = ProviderModelsMap[P][number];
