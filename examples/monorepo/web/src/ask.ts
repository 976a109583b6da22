import type {
  ModelForProvider,
  ModelRouterModelId,
  Provider,
} from "./llm/provider-types.generated";

/** What the menu offers: a typo here is an error. */
export const menu: { [P in Provider]: ModelForProvider<P>[] } = {
  anthropic: ["claude-haiku-4-5"],
  google: ["gemini-2.5-flash"],
  openai: ["gpt-4o"],
};

/** Completes the ids that the project uses, and takes any other. */
export function ask(question: string, model: ModelRouterModelId = "openai/gpt-4o") {
  return fetch("/api/ask", { method: "POST", body: JSON.stringify({ question, model }) });
}

void ask("And a model of our own?", "openai/ft:gpt-4o:mine");
