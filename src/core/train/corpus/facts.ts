// Facts and small talk: a closed set of questions with one answer each. A fact cannot be generalised, so what is held
// out is a wording of the question, never the fact itself.
import { hashKeys } from './random.ts'

export interface FactItem {
  topic: string
  prompt: string
  answer: string
  /** True for wordings kept from training. */
  isHeldOut: boolean
}

interface Relation {
  topic: string
  questions: string[]
  answer: string
  pairs: [string, string][]
}

// S = subject, A = answer.
const relations: Relation[] = [
  {
    topic: 'color',
    questions: ['what color is S?', 'tell me the color of S.', 'which color is S?', 'name the color of S.'],
    answer: 'S is A.',
    pairs: [
      ['the sky', 'blue'],
      ['the grass', 'green'],
      ['snow', 'white'],
      ['coal', 'black'],
      ['blood', 'red'],
      ['the sun', 'yellow'],
    ],
  },
  {
    topic: 'opposite',
    questions: [
      'what is the opposite of S?',
      'tell me the opposite of S.',
      'name the opposite of S.',
      'give me the opposite of S.',
    ],
    answer: 'the opposite of S is A.',
    pairs: [
      ['hot', 'cold'],
      ['big', 'small'],
      ['up', 'down'],
      ['day', 'night'],
      ['wet', 'dry'],
      ['old', 'new'],
      ['good', 'bad'],
      ['fast', 'slow'],
    ],
  },
  {
    topic: 'home',
    questions: [
      'where does S live?',
      'tell me where S lives.',
      'what is the home of S?',
      'name the home of S.',
    ],
    answer: 'S lives in A.',
    pairs: [
      ['a fish', 'the sea'],
      ['a bird', 'a nest'],
      ['a bear', 'a cave'],
      ['a bee', 'a hive'],
      ['a cow', 'a barn'],
    ],
  },
]

const chat: [string, string][] = [
  ['hello.', 'hello. how can i help?'],
  ['good day.', 'hello. how can i help?'],
  ['who are you?', 'i am a small model.'],
  ['what are you?', 'i am a small model.'],
  ['thank you.', 'you are welcome.'],
  ['thank you, friend.', 'you are welcome.'],
  ['how are you?', 'i am well. how can i help?'],
  ['are you well?', 'i am well. how can i help?'],
  ['what can you do?', 'i can answer, sort and plan.'],
  ['tell me what you can do.', 'i can answer, sort and plan.'],
]

/** Every fact in every wording; one wording of each fact is held out. */
export const factItems: readonly FactItem[] = relations.flatMap((relation) =>
  relation.pairs.flatMap(([subject, answer]) => {
    const heldOut = hashKeys('fact', subject) % relation.questions.length
    return relation.questions.map((question, index) => ({
      topic: relation.topic,
      prompt: question.replace('S', subject),
      answer: relation.answer.replace('S', subject).replace(/A/, answer),
      isHeldOut: index === heldOut,
    }))
  }),
)

/** Small talk, for training only. */
export const chatItems: readonly FactItem[] = chat.map(([prompt, answer]) => ({
  topic: 'chat',
  prompt,
  answer,
  isHeldOut: false,
}))
