// A classifier through onnxruntime's wasm against the same in float64, and every way its files can be wrong.
import { beforeAll, describe, expect, it } from 'vitest'
import { expectFailure } from '../../../testing/tinyCheckpoint.ts'
import {
  CLASSIFIER_WORDS,
  type ClassifierGraphOptions,
  classifierFiles,
  classifierGraph,
  classifierLogits,
  tinyClassifier,
} from '../../../testing/tinyClassifier.ts'
import { memoryFolder } from '../../files/folder.ts'
import { Random } from '../../tensors/random.ts'
import type { ClassifierModule } from './classifierGraph.ts'
import { findClass, GOOD_NAMES, TOXIC_NAMES } from './classNames.ts'
import type { LabelItem, Labeller } from './labeller.ts'
import { activate, type ClassifierChoice, openClassifier } from './onnxLabeller.ts'
import { loadClassifierNode } from './ortNode.ts'

let ort: ClassifierModule
beforeAll(async () => {
  ort = await loadClassifierNode()
})

const three = { id2label: { 0: 'fine', 1: 'toxic', 2: 'helpful' } }
const model = tinyClassifier(3, 2)

function open(
  config: Record<string, unknown> = three,
  choice: ClassifierChoice = {},
  graph: ClassifierGraphOptions = {},
): Promise<Labeller> {
  const files = classifierFiles(classifierGraph(model, graph), config)
  return openClassifier(ort, memoryFolder('tiny', files), choice)
}

const ids = (text: string) => text.split(' ').map((word) => CLASSIFIER_WORDS.indexOf(word))
const item = (answer: string, prompt = ''): LabelItem => ({ prompt, answer })

/** What the classifier must say of tokens, from the float64 logits. */
function expected(text: string, types?: readonly number[]) {
  const tokens = ids(text)
  return classifierLogits(model, tokens, types ?? tokens.map(() => 0))
}
const softmax = (logits: readonly number[]) => {
  const powers = logits.map(Math.exp)
  return powers.map((x) => x / powers.reduce((a, b) => a + b))
}
const sigmoid = (logits: readonly number[]) => logits.map((x) => 1 / (1 + Math.exp(-x)))

describe('scores', () => {
  it('are those of the float64 computation, whatever shares a batch', async () => {
    const labeller = await open()
    expect(labeller).toMatchObject({
      name: 'tiny',
      gives: ['toxicity', 'judge'],
      source: {
        kind: 'onnx',
        classifier: {
          classes: ['fine', 'toxic', 'helpful'],
          toxicLabel: 'toxic',
          goodLabel: 'helpful',
          activation: 'softmax',
          reads: 'answer',
          maxTokens: 16,
        },
      },
    })
    const random = new Random(5)
    const texts: [string, string][] = [
      ['Sure. bomb!', '[CLS] sure . bomb [UNK] [SEP]'],
      ['', '[CLS] [SEP]'],
      ['sorry no bombs', '[CLS] sorry no bomb ##s [SEP]'],
      ['tea', '[CLS] tea [SEP]'],
      ['tea', '[CLS] tea [SEP]'],
      ...Array.from({ length: 40 }, (_, i): [string, string] => {
        const words = Array.from({ length: 1 + (i % 12) }, () => CLASSIFIER_WORDS[4 + random.integer(6)])
        return [words.join(' '), `[CLS] ${words.join(' ')} [SEP]`]
      }),
    ]
    const scores = await labeller.label(texts.map(([answer]) => item(answer, 'not read')))
    texts.forEach(([, tokens], i) => {
      const [, toxic, helpful] = softmax(expected(tokens))
      expect(scores[i].toxicity, tokens).toBeCloseTo(toxic, 6)
      expect(scores[i].judge, tokens).toBeCloseTo(helpful, 6)
    })
    // The classes are told apart, so that a wrong column would be seen.
    expect(new Set(scores.map(({ toxicity }) => toxicity?.toFixed(3))).size).toBeGreaterThan(20)
    expect(await labeller.label([item('tea')])).toEqual([scores[3]])
    await labeller.close()
  })

  it('of pairs read the prompt first and tell the two texts apart', async () => {
    const labeller = await open(three, { reads: 'pair' })
    const [scores] = await labeller.label([item('sure .', 'bomb tea')])
    const [, toxic] = softmax(expected('[CLS] bomb tea [SEP] sure . [SEP]', [0, 0, 0, 0, 1, 1, 1]))
    expect(scores.toxicity).toBeCloseTo(toxic, 6)
    expect((await labeller.label([item('sure .', 'tea')]))[0].toxicity).not.toBeCloseTo(toxic, 4)
    const [empty] = await labeller.label([item('', 'bomb')])
    expect(empty.toxicity).toBeCloseTo(softmax(expected('[CLS] bomb [SEP] [SEP]', [0, 0, 0, 1]))[1], 6)
    await labeller.close()
  })

  it('by sigmoid where the config says so, the user does, or there is one class', async () => {
    const logits = expected('[CLS] bomb [SEP]')
    for (const problem_type of ['multi_label_classification', 'regression']) {
      const labeller = await open({ ...three, problem_type })
      expect((await labeller.label([item('bomb')]))[0].toxicity).toBeCloseTo(sigmoid(logits)[1], 6)
      await labeller.close()
    }
    const chosen = await open(
      { ...three, problem_type: 'multi_label_classification' },
      { activation: 'softmax' },
    )
    expect((await chosen.label([item('bomb')]))[0].toxicity).toBeCloseTo(softmax(logits)[1], 6)
    await chosen.close()
    const single = tinyClassifier(1, 9)
    const files = classifierFiles(classifierGraph(single), { id2label: { 0: 'toxicity' } })
    const one = await openClassifier(ort, memoryFolder('one', files))
    const [x] = classifierLogits(single, ids('[CLS] bomb [SEP]'), [0, 0, 0])
    expect((await one.label([item('bomb')]))[0].toxicity).toBeCloseTo(1 / (1 + Math.exp(-x)), 6)
    await one.close()
  })

  it('of the class the user means', async () => {
    const labeller = await open({}, { toxicLabel: 'LABEL_2', goodLabel: 'LABEL_0' })
    const [fine, , third] = softmax(expected('[CLS] bomb [SEP]'))
    const [scores] = await labeller.label([item('bomb')])
    expect(scores.toxicity).toBeCloseTo(third, 6)
    expect(scores.judge).toBeCloseTo(fine, 6)
    await labeller.close()
    const silent = await open({})
    expect(silent.gives).toEqual([])
    expect(await silent.label([item('bomb')])).toEqual([{}])
    await silent.close()
  })

  it('take graphs without mask or types, with fixed sizes, and with another name for the logits', async () => {
    const tokens = ids('[CLS] bomb tea [SEP]')
    const plain = softmax(classifierLogits(model, tokens, undefined))[1]
    const typed = softmax(classifierLogits(model, tokens, [0, 0, 0, 0]))[1]
    for (const [graph, toxic] of [
      [{ inputs: ['input_ids', 'attention_mask'] }, plain],
      [{ inputs: ['input_ids'], batch: 1 }, plain],
      [{ sequence: 9 }, typed],
      [{ batch: 4, sequence: 9 }, typed],
      [{ output: 'scores' }, typed],
    ] as const) {
      const labeller = await open(three, {}, graph)
      const scores = await labeller.label(
        ['bomb tea', 'tea', 'no', 'sure', '. .', 'sorry'].map((text) => item(text)),
      )
      expect(scores[0].toxicity, JSON.stringify(graph)).toBeCloseTo(toxic, 6)
      await labeller.close()
    }
  })

  it('cut a long answer at its end and keep the closing tokens', async () => {
    const labeller = await open({ ...three, max_position_embeddings: 6 })
    const [scores] = await labeller.label([item('bomb tea sure no sorry .')])
    expect(scores.toxicity).toBeCloseTo(softmax(expected('[CLS] bomb tea sure no [SEP]'))[1], 6)
    await labeller.close()
    const pairs = await open({ ...three, max_position_embeddings: 6 }, { reads: 'pair' })
    const [pair] = await pairs.label([item('tea tea tea tea', 'bomb')])
    const types = [0, 0, 0, 1, 1, 1]
    expect(pair.toxicity).toBeCloseTo(softmax(expected('[CLS] bomb [SEP] tea tea [SEP]', types))[1], 6)
    const error = await expectFailure(pairs.label([item('tea', 'bomb bomb bomb')]), 'request-invalid')
    expect(error.message).toContain('a prompt of 6 tokens leaves no room')
    await pairs.close()
  })

  it('stop when told to, and report how far they are', async () => {
    const labeller = await open()
    const items = Array.from({ length: 80 }, (_, i) =>
      item(`${'tea '.repeat(i % 13)}${'no '.repeat(i / 13)}`),
    )
    await expectFailure(labeller.label(items, { signal: AbortSignal.abort() }), 'cancelled')
    const steps: number[] = []
    await labeller.label(items, { onProgress: (done, total) => steps.push(done, total) })
    expect(steps.length).toBeGreaterThan(2)
    expect(steps.at(-2)).toBe(80)
    await labeller.close()
  })
})

describe('digest', () => {
  it('changes with weights, config, tokenizer and choice alone', async () => {
    const digest = async (labeller: Promise<Labeller>) => {
      const opened = await labeller
      await opened.close()
      return opened.digest
    }
    const base = await digest(open())
    expect(await digest(open())).toBe(base)
    const others = [
      open({ id2label: { 0: 'fine', 1: 'helpful', 2: 'toxic' } }),
      open(three, { goodLabel: 'fine' }),
      open(three, { reads: 'pair' }),
      open(three, { activation: 'sigmoid' }),
      openClassifier(
        ort,
        memoryFolder('tiny', classifierFiles(classifierGraph(tinyClassifier(3, 5)), three)),
      ),
    ]
    const found = await Promise.all(others.map(digest))
    expect(new Set([base, ...found]).size).toBe(6)
  })
})

describe('bad files', () => {
  const folderWith = (change: (files: Map<string, Uint8Array<ArrayBuffer> | string>) => void) => {
    const files = classifierFiles(classifierGraph(model), three)
    change(files)
    return memoryFolder('tiny', files)
  }

  it.each<[string, (files: Map<string, Uint8Array<ArrayBuffer> | string>) => void, string, string]>([
    ['no config', (files) => files.delete('config.json'), 'file-missing', 'config.json'],
    ['no tokenizer', (files) => files.delete('tokenizer.json'), 'file-missing', 'tokenizer.json'],
    ['no graph', (files) => files.delete('model.onnx'), 'file-missing', 'found no .onnx file'],
    [
      'two graphs',
      (files) => {
        files
          .set('a.onnx', files.get('model.onnx')!)
          .set('b.onnx', files.get('model.onnx')!)
          .delete('model.onnx')
      },
      'file-missing',
      'found a.onnx, b.onnx',
    ],
    [
      'weights beside the graph',
      (files) => files.set('model.onnx_data', 'x'),
      'file-unsupported',
      'model.onnx_data',
    ],
    [
      'a cut graph',
      (files) => files.set('model.onnx', (files.get('model.onnx') as Uint8Array<ArrayBuffer>).slice(0, 300)),
      'file-unsupported',
      'onnxruntime cannot open the graph',
    ],
    [
      'an empty graph',
      (files) => files.set('model.onnx', new Uint8Array(0)),
      'file-unsupported',
      'model.onnx',
    ],
    [
      'text for a graph',
      (files) => files.set('model.onnx', 'hello'),
      'file-unsupported',
      'onnxruntime cannot open',
    ],
    [
      'a tokenizer that is none',
      (files) => files.set('tokenizer.json', '{"model": {"type": "Souffle"}}'),
      'file-unsupported',
      'the tokenizer cannot be used',
    ],
    ['broken JSON', (files) => files.set('config.json', '{'), 'file-malformed', 'config.json'],
    [
      'labels with a hole',
      (files) => files.set('config.json', '{"id2label": {"0": "a", "2": "b"}}'),
      'file-malformed',
      'class 1 has none',
    ],
    [
      'labels as a list',
      (files) => files.set('config.json', '{"id2label": ["a"]}'),
      'file-malformed',
      'id2label: expected an object',
    ],
    [
      'too few labels',
      (files) => files.set('config.json', '{"id2label": {"0": "a", "1": "b"}}'),
      'shape-mismatch',
      'id2label names 2 classes, the graph gives 3 logits',
    ],
    [
      'an unknown problem',
      (files) => files.set('config.json', '{"problem_type": "poetry"}'),
      'file-unsupported',
      'problem_type',
    ],
  ])('%s is refused', async (_name, change, code, message) => {
    const error = await expectFailure(openClassifier(ort, folderWith(change)), code as 'file-missing')
    expect(error.message).toContain(message)
  })

  it.each<[string, ClassifierGraphOptions, string]>([
    ['no ids', { inputs: [] }, 'input_ids'],
    ['a strange input', { inputs: ['input_ids', 'pixel_values'] }, 'found pixel_values'],
  ])('a graph with %s is refused', async (_name, graph, message) => {
    // Without ids the graph cannot even be opened: Gather would read nothing.
    const error = await expectFailure(open(three, {}, graph), 'file-unsupported')
    expect(error.message).toContain(message)
  })

  it('a class that is none is refused by name', async () => {
    const error = await expectFailure(open(three, { toxicLabel: 'nasty' }), 'request-invalid')
    expect(error.message).toContain('toxicLabel: expected one of fine, toxic, helpful, found "nasty"')
  })

  it('finds a graph in the folder onnx/ and by its only name', async () => {
    for (const path of ['onnx/model.onnx', 'quantised.onnx']) {
      const labeller = await openClassifier(
        ort,
        folderWith((files) => {
          files.set(path, files.get('model.onnx')!).delete('model.onnx')
        }),
      )
      await labeller.close()
    }
  })
})

describe('activate', () => {
  it('is finite for any finite logits, and refuses others', () => {
    expect(activate([1000, 0, -1000], 'softmax')).toEqual([1, 0, 0])
    expect(activate([0, Math.log(3)], 'softmax')[1]).toBeCloseTo(0.75, 12)
    expect(activate([0, 1000, -1000], 'sigmoid')).toEqual([0.5, 1, 0])
    expect(() => activate([0, Number.NaN], 'softmax')).toThrow(
      expect.objectContaining({ code: 'not-finite' }),
    )
  })
})

describe('findClass', () => {
  it.each<[string[], string | undefined, string | undefined]>([
    [['toxic', 'severe_toxic', 'obscene'], 'toxic', undefined],
    [['non-toxic', 'toxic'], 'toxic', undefined],
    [['severe_toxic', 'not toxic'], 'severe_toxic', undefined],
    [['neutral', 'not_toxic'], undefined, undefined],
    [['SAFE', 'UNSAFE'], 'UNSAFE', undefined],
    [['hate', 'toxicity'], 'toxicity', undefined],
    [['notHelpful', 'Helpful'], undefined, 'Helpful'],
    [['LABEL_0', 'LABEL_1'], undefined, undefined],
    [['benign', 'jailbreak attempt'], 'jailbreak attempt', undefined],
  ])('%j', (classes, toxic, good) => {
    expect(findClass(classes, TOXIC_NAMES)).toBe(toxic)
    expect(findClass(classes, GOOD_NAMES)).toBe(good)
  })
})
