// Skills: small tasks on lists of distinct signs with one right answer. Sorting is asked of digits, reversing of
// letters: experts then differ in what they read as well as in what they do, as real task experts do. The list
// decides the split, whatever the wording, so a held-out list was never seen in any task of that skill.
import { hashKeys, type Random } from './random.ts'
import type { Split } from './world.ts'

export const digits: readonly string[] = [...'0123456789']
export const letters: readonly string[] = [...'bcdfghkmpr']

export interface Skill {
  name: string
  /** Alphabets a list is drawn from; one list has one alphabet. */
  alphabets: readonly (readonly string[])[]
  lengths: readonly number[]
  /** Wordings; L is the list. */
  questions: readonly string[]
  answer(list: readonly string[]): string
}

export const skills: readonly Skill[] = [
  {
    name: 'sort',
    alphabets: [digits],
    lengths: [3, 4, 5],
    questions: ['sort L', 'put in order L', 'sort this list: L'],
    answer: (list) => list.toSorted().join(' '),
  },
  {
    name: 'reverse',
    alphabets: [letters],
    lengths: [3, 4],
    questions: ['reverse L', 'flip L', 'reverse this list: L'],
    answer: (list) => list.toReversed().join(' '),
  },
  {
    name: 'repeat',
    alphabets: [digits, letters],
    lengths: [3, 4, 5],
    questions: ['repeat L', 'say again L', 'repeat this list: L'],
    answer: (list) => list.join(' '),
  },
]

/** Split of a list under a skill: two in ten held out, one in ten for estimating. */
export function splitOfList(skill: string, list: readonly string[]): Split {
  const bucket = hashKeys('list', skill, list.join(' ')) % 10
  return bucket < 2 ? 'heldout' : bucket < 3 ? 'estimate' : 'train'
}

/** Draws a question of the skill whose list belongs to the split. */
export function drawSkill(skill: Skill, random: Random, split: Split): { prompt: string; answer: string } {
  for (;;) {
    const length = random.pick(skill.lengths)
    const list = random.shuffle(random.pick(skill.alphabets)).slice(0, length)
    if (splitOfList(skill.name, list) !== split) continue
    return { prompt: random.pick(skill.questions).replace('L', list.join(' ')), answer: skill.answer(list) }
  }
}
