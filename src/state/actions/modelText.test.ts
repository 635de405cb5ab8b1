import { expect, it } from 'vitest'
import { readModelText } from './modelText.ts'

const commit = 'a'.repeat(40)

it.each([
  ['a/b', '', '', { kind: 'hub', repo: 'a/b', revision: 'main' }],
  ['a/b@v1', '', '', { kind: 'hub', repo: 'a/b', revision: 'v1' }],
  ['a/b@v1', commit, '', { kind: 'hub', repo: 'a/b', revision: commit }],
  ['https://huggingface.co/a/b/tree/dev', '', '', { kind: 'hub', repo: 'a/b', revision: 'dev' }],
  [
    'https://huggingface.co/a/b/blob/main/c/Q4_0.gguf',
    '',
    '',
    { kind: 'hub', repo: 'a/b', revision: 'main', part: 'c/Q4_0.gguf' },
  ],
  ['a/b/Q4_0.gguf@v1', '', '', { kind: 'hub', repo: 'a/b', revision: 'v1', part: 'Q4_0.gguf' }],
  ['a/b', '', 'https://huggingface.co/', { kind: 'hub', repo: 'a/b', revision: 'main' }],
  [
    'a/b',
    '',
    'https://mirror.example/',
    { kind: 'hub', repo: 'a/b', revision: 'main', hub: 'https://mirror.example' },
  ],
  ['https://files.example/model/', '', '', { kind: 'url', url: 'https://files.example/model/' }],
])('%j at %j of %j is a source', (text, revision, hub, spec) => {
  expect(readModelText(text, revision, hub)).toEqual({ spec })
})

it.each([
  ['model', '', ''],
  ['https://me:secret@files.example/', '', ''],
  ['javascript:alert(1)', '', ''],
  ['a/b', '..', ''],
  ['a/b', '', 'mirror'],
])('%j at %j of %j is refused in words', (text, revision, hub) => {
  expect(readModelText(text, revision, hub)).toEqual({ reason: expect.stringMatching(/\w{4}/) })
})
