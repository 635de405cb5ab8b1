import { describe, expect, it } from 'vitest'
import { EngineError } from '../../errors.ts'
import { isPrintable, parseReference, printReference, type Recipe, referencedModels } from './recipe.ts'

describe('model references', () => {
  it.each([
    ['anchor', { path: 'anchor' }],
    ['owner/model', { path: 'owner/model' }],
    ['owner/model@v1', { path: 'owner/model', revision: 'v1' }],
    ['a+b', { path: 'a', lora: { path: 'b' } }],
    ['a@b+c@d', { path: 'a', revision: 'b', lora: { path: 'c', revision: 'd' } }],
    ['./models/a+../b@main', { path: './models/a', lora: { path: '../b', revision: 'main' } }],
  ])('%s reads and prints the same', (text, reference) => {
    expect(parseReference(text)).toEqual(reference)
    expect(printReference(reference)).toBe(text)
    expect(isPrintable(reference)).toBe(true)
  })

  const FORM = 'expected path[@revision][+lora[@revision]]'
  it.each([
    ['a@b@c', `model "a@b@c": more than one @ in a part; ${FORM}`],
    ['a+b@c@d', `model "a+b@c@d": more than one @ in a part; ${FORM}`],
    ['a+b+c', `model "a+b+c": more than one +; ${FORM}`],
    ['', `model "": an empty path; ${FORM}`],
    ['@main', `model "@main": an empty path; ${FORM}`],
    ['a@', `model "a@": an empty revision; ${FORM}`],
    ['a+', `model "a+": an empty path; ${FORM}`],
    [' ', `model " ": an empty path; ${FORM}`],
  ])('%j is refused', (text, message) => {
    expect(() => parseReference(text)).toThrow(new EngineError('request-invalid', message))
  })

  it('a path with @ or + has no text form', () => {
    for (const reference of [
      { path: '/models/a@2' },
      { path: 'a', revision: 'x+y' },
      { path: 'a', lora: { path: 'b+c' } },
      { path: 'a', lora: { path: 'b', revision: '@' } },
    ])
      expect(isPrintable(reference)).toBe(false)
  })
})

describe('referencedModels', () => {
  it('names each model once, wherever it stands', () => {
    const entry = (path: string) => ({ model: { path }, parameters: {} })
    const recipe: Recipe = {
      method: 'any',
      base: { path: 'base' },
      models: [entry('x'), entry('y'), entry('x')],
      slices: [
        {
          sources: [{ ...entry('z'), layerRange: [0, 1] }],
          base: { path: 'y', revision: '1' },
          parameters: {},
        },
      ],
      parameters: {},
      tokenizerFrom: { path: 'tok' },
      extension: { models: { aligned: { path: 'good' } } },
    }
    expect(referencedModels(recipe).map(printReference)).toEqual([
      'x',
      'y',
      'z',
      'y@1',
      'base',
      'good',
      'tok',
    ])
    expect(referencedModels({ method: 'any', parameters: {}, tokenizerFrom: 'base' })).toEqual([])
  })
})
