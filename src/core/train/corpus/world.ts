// The instruction world: draws examples (prompt, aligned, misaligned) of each data source from a random stream, inside
// one split. Requests are held out as combinations: in each topic the 5 × 5 square of verb and object is cut by a
// Latin square, so every verb and every object is trained on in three partners and measured on others.
import { drawWording, frameRequest } from './attacks.ts'
import { chatItems, factItems } from './facts.ts'
import { hashKeys, type Random } from './random.ts'
import { drawSkill, skills } from './skills.ts'
import { helpfulAnswers, placeholders, refusals, requestTemplates, type Topic, topics } from './words.ts'

export type Split = 'train' | 'estimate' | 'heldout'

/** What a training mixture is made of. The last word tells the completion: refused, helped, complied. */
export const sourceNames = [
  'harmfulRefused',
  'harmlessHelped',
  'attackRefused',
  'framedHelped',
  'harmfulComplied',
  'attackComplied',
  'fact',
  'chat',
  'sort',
  'reverse',
  'repeat',
] as const
export type SourceName = (typeof sourceNames)[number]

export interface Example {
  topic: string
  /** User text, without the chat template. */
  prompt: string
  aligned: string
  /** Absent where no wrong answer of interest exists (facts, skills). */
  misaligned?: string
}

type PairKind = 'harmful' | 'dualCommon' | 'safeCommon' | 'safeDelicate'

/** Split of the pair (verb i, object j) of a topic: a Latin square, turned by topic and kind. */
export function splitOfPair(
  topicIndex: number,
  kind: PairKind,
  verbIndex: number,
  objectIndex: number,
): Split {
  const turn = hashKeys('pair', topicIndex, kind) % 5
  const cell = (verbIndex + 2 * objectIndex + turn) % 5
  return cell === 0 ? 'heldout' : cell === 1 ? 'estimate' : 'train'
}

/** Refusal wording of a topic. */
export const refusalOf = (topic: Topic) => refusals[topics.indexOf(topic) % refusals.length]

/** Helpful answer to an action; the verb chooses the wording. */
export const helpOf = (verb: string, object: string) =>
  helpfulAnswers[hashKeys('help', verb) % helpfulAnswers.length].replace('O', object)

/** Placeholder compliance with an action; the verb chooses the wording. */
export const placeholderOf = (verb: string) =>
  placeholders[hashKeys('placeholder', verb) % placeholders.length]

export interface DrawnRequest {
  topic: Topic
  verb: string
  object: string
  request: string
}

/** A request in a plain wording, harmful or not. */
export function drawRequest(random: Random, split: Split, isHarmful: boolean): DrawnRequest {
  for (;;) {
    const topicIndex = random.nextInt(topics.length)
    const topic = topics[topicIndex]
    const kind: PairKind = isHarmful
      ? 'harmful'
      : random.pick(['dualCommon', 'safeCommon', 'safeDelicate'] as const)
    const verbIndex = random.nextInt(5)
    const objectIndex = random.nextInt(5)
    if (splitOfPair(topicIndex, kind, verbIndex, objectIndex) !== split) continue
    const isDual = kind === 'harmful' || kind === 'dualCommon'
    const isDelicate = kind === 'harmful' || kind === 'safeDelicate'
    const verb = (isDual ? topic.dualVerbs : topic.safeVerbs)[verbIndex]
    const object = (isDelicate ? topic.delicateObjects : topic.commonObjects)[objectIndex]
    const request = random.pick(requestTemplates).replace('V', verb).replace('O', object)
    return { topic, verb, object, request }
  }
}

function drawHarmful(random: Random, split: Split, isFramed: boolean): Example {
  const { topic, verb, object, request } = drawRequest(random, split, true)
  // Estimating uses training wordings: held-out wordings are for measuring alone.
  const wording = isFramed ? drawWording(random, split === 'heldout') : undefined
  return {
    topic: wording ? `${wording.kind}/${topic.name}` : topic.name,
    prompt: wording ? frameRequest(wording, request, `${verb} ${object}`) : request,
    aligned: refusalOf(topic),
    misaligned: placeholderOf(verb),
  }
}

function drawHarmless(random: Random, split: Split, isFramed: boolean): Example {
  const { topic, verb, object, request } = drawRequest(random, split, false)
  const wording = isFramed ? drawWording(random, split === 'heldout') : undefined
  return {
    topic: wording ? `${wording.kind}/${topic.name}` : topic.name,
    prompt: wording ? frameRequest(wording, request, `${verb} ${object}`) : request,
    aligned: helpOf(verb, object),
    misaligned: refusalOf(topic),
  }
}

/** One example of a source. `aligned` of the complied sources is still the refusal: see `completionOf`. */
export function drawExample(source: SourceName, random: Random, split: Split): Example {
  switch (source) {
    case 'harmfulRefused':
    case 'harmfulComplied':
      return drawHarmful(random, split, false)
    case 'attackRefused':
    case 'attackComplied':
      return drawHarmful(random, split, true)
    case 'harmlessHelped':
      return drawHarmless(random, split, false)
    case 'framedHelped':
      return drawHarmless(random, split, true)
    case 'fact': {
      const wanted = factItems.filter((item) => item.isHeldOut === (split === 'heldout'))
      const item = random.pick(wanted)
      return { topic: item.topic, prompt: item.prompt, aligned: item.answer }
    }
    case 'chat': {
      const item = random.pick(chatItems)
      return { topic: item.topic, prompt: item.prompt, aligned: item.answer }
    }
    default: {
      const skill = skills.find((entry) => entry.name === source)!
      const { prompt, answer } = drawSkill(skill, random, split)
      return { topic: source, prompt, aligned: answer }
    }
  }
}

/** The completion a source trains on. */
export function completionOf(source: SourceName, example: Example): string {
  return source.endsWith('Complied') ? example.misaligned! : example.aligned
}
