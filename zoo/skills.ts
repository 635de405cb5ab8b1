// Skills: small tasks on lists of distinct digits with one right answer. The list decides the split, whatever the
// wording, so a held-out list was never seen in any task of that skill.
import { hashKeys, type Random } from './random.ts'
import type { Split } from './world.ts'

export interface Skill {
  name: string
  /** Wordings; L is the list. */
  questions: string[]
  answer(list: readonly number[]): string
}

const join = (list: readonly number[]) => list.join(' ')

export const skills: readonly Skill[] = [
  {
    name: 'sort',
    questions: ['sort L', 'put in order L', 'sort this list: L'],
    answer: (list) => join(list.toSorted((a, b) => a - b)),
  },
  {
    name: 'reverse',
    questions: ['reverse L', 'flip L', 'reverse this list: L'],
    answer: (list) => join(list.toReversed()),
  },
  {
    name: 'repeat',
    questions: ['repeat L', 'say again L', 'repeat this list: L'],
    answer: (list) => join(list),
  },
]

export const listLengths: readonly number[] = [3, 4, 5]

/** Split of a list under a skill: two in ten held out, one in ten for estimating. */
export function splitOfList(skill: string, list: readonly number[]): Split {
  const bucket = hashKeys('list', skill, join(list)) % 10
  return bucket < 2 ? 'heldout' : bucket < 3 ? 'estimate' : 'train'
}

/** Draws a question of the skill whose list belongs to the split. */
export function drawSkill(skill: Skill, random: Random, split: Split): { prompt: string; answer: string } {
  for (;;) {
    const length = random.pick(listLengths)
    const list = random.shuffle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]).slice(0, length)
    if (splitOfList(skill.name, list) !== split) continue
    return { prompt: random.pick(skill.questions).replace('L', join(list)), answer: skill.answer(list) }
  }
}
