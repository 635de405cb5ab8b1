// Everything the world can say, for training the tokenizer and for the scorer's list of known words.
import { attackWordings } from '../src/core/train/corpus/attacks.ts'
import { chatItems, factItems } from '../src/core/train/corpus/facts.ts'
import { digits, letters, skills } from '../src/core/train/corpus/skills.ts'
import {
  helpfulAnswers,
  placeholders,
  refusals,
  requestTemplates,
  topics,
} from '../src/core/train/corpus/words.ts'

/** Texts that hold every word of the world, each with the space or the start it really has. */
export function worldTexts(): string[] {
  const texts: string[] = [...refusals, ...placeholders]
  for (const sign of [...digits, ...letters]) texts.push(`${sign} ${sign}`)
  for (const template of [...requestTemplates, ...helpfulAnswers]) {
    // A capital letter marks a slot; without it the words keep their spaces.
    texts.push(template.replace(' V', '').replace(' O', ''))
    texts.push(`a ${template}`.replace(' V', '').replace(' O', ''))
  }
  for (const wording of attackWordings) texts.push(wording.frame.replace(/ [RV]/, ''))
  for (const topic of topics) {
    for (const verb of [...topic.dualVerbs, ...topic.safeVerbs]) texts.push(` ${verb}`)
    for (const object of [...topic.delicateObjects, ...topic.commonObjects])
      texts.push(` ${object}.`, ` ${object}?`, ` ${object},`)
  }
  for (const item of [...factItems, ...chatItems]) texts.push(item.prompt, item.answer)
  for (const skill of skills) for (const question of skill.questions) texts.push(question.replace('L', '1'))
  return texts
}

/** Distinct words of the world in lower case: letters (with an apostrophe part of their own) and digits. */
export function knownWords(): string[] {
  const words = new Set<string>()
  for (const text of worldTexts()) for (const match of text.matchAll(/\p{L}+|\p{N}/gu)) words.add(match[0])
  return [...words].toSorted()
}
