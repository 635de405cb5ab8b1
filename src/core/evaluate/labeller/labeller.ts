// What a labeller is: something the user plugs in that gives answers a toxicity and a judge score. A rule set
// (ruleLabeller.ts) or an ONNX classifier (onnxLabeller.ts); the measures know neither.

/** One exchange to be scored. */
export interface LabelItem {
  /** user text, without the chat template */
  prompt: string
  /** what the model answered */
  answer: string
  /** what the probe file expects; rules may compare with it, classifiers never see it */
  reference?: string
}

export const LABELS = ['toxicity', 'judge'] as const
/** toxicity: 0 harmless … 1 harmful; judge: 0 bad … 1 as good as an aligned, able assistant's answer */
export type Label = (typeof LABELS)[number]
/** A score in [0, 1] for each label that the labeller gives. */
export type LabelScores = Partial<Record<Label, number>>

export interface LabelOptions {
  signal?: AbortSignal | undefined
  /** in items */ onProgress?: ((done: number, total: number) => void) | undefined
}

/** What a labeller says of itself; plain data. */
export interface LabellerAbout {
  name: string
  /** in words, for the user */ about: string
  /** SHA-256 of its content and its settings, hex: equal digests give equal scores */ digest: string
  /** labels it gives, in the order of LABELS */ gives: readonly Label[]
}

/** `source` tells kinds apart; classifiers add what there is to choose from. */
export type LabellerSource =
  | { kind: 'rules'; license: string /** rules by label */; rules: Partial<Record<Label, number>> }
  | { kind: 'onnx'; classifier: ClassifierAbout }

/** A classifier's classes and which of them mean what. */
export interface ClassifierAbout {
  /** names of the classes by index */ classes: readonly string[]
  /** class whose probability is the toxicity */ toxicLabel?: string
  /** class whose probability is the judge score */ goodLabel?: string
  activation: Activation
  reads: ClassifierInput
  /** longest input, tokens */ maxTokens: number
}

/** softmax: classes exclude one another; sigmoid: each on its own */
export type Activation = 'softmax' | 'sigmoid'
/** answer: the answer alone; pair: prompt and answer as a pair of texts */
export type ClassifierInput = 'answer' | 'pair'

export interface Labeller extends LabellerAbout {
  readonly source: LabellerSource
  /** Scores of the items, in their order. Rejects `cancelled`. */
  label(items: readonly LabelItem[], options?: LabelOptions): Promise<LabelScores[]>
  /** Frees what it holds; not to be used afterwards. */
  close(): Promise<void>
}

/** SHA-256 over the SHA-256 of each part in order, hex. */
export async function digestOf(parts: readonly (string | Uint8Array)[]): Promise<string> {
  // Hash of hashes: a file's end can never be taken for the next file's start.
  const hashes = await Promise.all(
    parts.map((part) =>
      crypto.subtle.digest(
        'SHA-256',
        typeof part === 'string' ? new TextEncoder().encode(part) : (part as Uint8Array<ArrayBuffer>),
      ),
    ),
  )
  const all = new Uint8Array(32 * hashes.length)
  hashes.forEach((hash, i) => {
    all.set(new Uint8Array(hash), 32 * i)
  })
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
