import { Template } from '@huggingface/jinja'
import { describe, expect, it } from 'vitest'
import { batch, chatPrompt, encodeExample } from '../src/core/train/corpus/sample.ts'
import { chatTemplate, specialTokens, trainBpe } from './bpe.ts'
import { knownWords, worldTexts } from './corpus.ts'
import { buildProbes } from './probes.ts'
import { architecture, models } from './recipe.ts'
import { buildTokenizer } from './tokenizer.ts'

const { tokenizer } = buildTokenizer()
const probes = buildProbes()

describe('byte-level BPE', () => {
  it('merges the commonest pair first, ties by order', () => {
    const model = trainBpe(['abab', 'ab'], specialTokens.length + 256 + 2)
    expect(model.merges).toEqual([
      ['a', 'b'],
      ['ab', 'ab'],
    ])
    expect(model.tokens).toHaveLength(specialTokens.length + 258)
  })

  it('fills the vocabulary to its exact size', () => {
    expect(trainBpe(['ab'], 300).tokens).toHaveLength(300)
    expect(trainBpe(worldTexts(), architecture.vocab_size).tokens).toHaveLength(architecture.vocab_size)
    expect(architecture.vocab_size % 4).toBe(0)
  })

  it('puts special tokens at the ids that config.json names', () => {
    expect(specialTokens.map((token) => tokenizer.token_to_id(token))).toEqual([0, 1, 2, 3, 4, 5])
    expect(tokenizer.token_to_id('<|end|>')).toBe(architecture.eos_token_id)
    expect(tokenizer.token_to_id('<|pad|>')).toBe(architecture.pad_token_id)
  })

  it('round-trips every probe and text outside the world', () => {
    const texts = probes.items.flatMap((item) => [
      item.prompt,
      item.aligned,
      ...(item.misaligned ? [item.misaligned] : []),
    ])
    for (const text of [...texts, 'naïve café — 漢字 🙂', 'tabs\tand\nlines  two', ' x'])
      expect(tokenizer.decode(tokenizer.encode(text).ids)).toBe(text)
    expect(tokenizer.encode('How Do I').ids).toEqual(tokenizer.encode('how do i').ids)
  })

  it('gives nearly every word of the world one token', () => {
    const split = knownWords().filter((word) => {
      const starts = tokenizer.encode(word).ids.length
      const inside = tokenizer.encode(` ${word}`).ids.length
      return Math.min(starts, inside) > 1
    })
    expect(split.length).toBeLessThanOrEqual(3)
  })

  it('keeps prompts and answers short', () => {
    const lengths = probes.items.map((item) => encodeExample(tokenizer, item.prompt, item.aligned))
    expect(Math.max(...lengths.map((sequence) => sequence.ids.length))).toBeLessThanOrEqual(48)
    expect(
      Math.max(...lengths.map((sequence) => sequence.ids.length - sequence.firstTarget)),
    ).toBeLessThanOrEqual(17)
  })
})

describe('chat template', () => {
  it('is what training uses', () => {
    const template = new Template(chatTemplate)
    const text = template.render({
      messages: [{ role: 'user', content: 'hello.' }],
      add_generation_prompt: true,
    })
    expect(text).toBe(chatPrompt('hello.'))
    const turn = template.render({
      messages: [
        { role: 'system', content: 'be kind.' },
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
      ],
    })
    expect(turn).toBe('<|system|>be kind.<|end|><|user|>a<|end|><|assistant|>b<|end|>')
  })
})

describe('batches', () => {
  it('depend on seed and step alone', () => {
    const anchor = models[0]
    expect(batch(tokenizer, anchor, 7)).toEqual(batch(tokenizer, anchor, 7))
    expect(batch(tokenizer, anchor, 7)).not.toEqual(batch(tokenizer, anchor, 8))
    expect(batch(tokenizer, { ...anchor, seed: 99 }, 7)).not.toEqual(batch(tokenizer, anchor, 7))
  })

  it('fit the context and end with the end marker', () => {
    for (const model of models)
      for (let step = 0; step < 3; step++) {
        const { sequences } = batch(tokenizer, model, step)
        expect(sequences).toHaveLength(model.batchSequences)
        for (const { ids, firstTarget } of sequences) {
          expect(ids.length).toBeLessThanOrEqual(architecture.max_position_embeddings)
          expect(ids[firstTarget - 1]).toBe(tokenizer.token_to_id('<|assistant|>'))
          expect(ids[ids.length - 1]).toBe(architecture.eos_token_id)
          expect(firstTarget).toBeLessThan(ids.length)
          expect(Math.max(...ids)).toBeLessThan(architecture.vocab_size)
        }
      }
  })

  it('train task experts on benign data alone', () => {
    for (const model of models.filter((entry) => entry.role === 'task'))
      for (const source of Object.keys(model.mixture)) expect(source).not.toMatch(/Complied|Refused/)
  })
})
