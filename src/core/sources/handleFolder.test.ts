// Directories behind handles: which files are the model's, and what is said when the browser no longer gives them.

import { describe, expect, it } from 'vitest'
import { expectFailure, tinyFiles } from '../../testing/tinyCheckpoint.ts'
import { openCheckpoint } from '../files/checkpoint.ts'
import { type DirectoryHandle, type FileHandle, handleFolder } from './handleFolder.ts'

type Tree = { [name: string]: Tree | Uint8Array | string }

function handleOf(name: string, tree: Tree, failure?: string): DirectoryHandle {
  return {
    kind: 'directory',
    name,
    async *entries() {
      if (failure) throw new DOMException('no', failure)
      for (const [child, content] of Object.entries(tree)) {
        const isFile = typeof content === 'string' || content instanceof Uint8Array
        const file: FileHandle = {
          kind: 'file',
          name: child,
          getFile: async () => new Blob([content as Uint8Array<ArrayBuffer>]),
        }
        yield [child, isFile ? file : handleOf(child, content as Tree)]
      }
    },
  }
}
const model: Tree = Object.fromEntries(tinyFiles())

describe('a directory', () => {
  it('is the model in it, wherever its config.json is', async () => {
    for (const [tree, name] of [
      [model, 'top'],
      [{ notes: 'x', inside: model }, 'inside'],
      [{ '.git': { 'config.json': '{}' }, a: { b: model } }, 'b'],
      // What lies deeper belongs to the model above it.
      [{ ...model, original: { 'config.json': '{}' } }, 'top'],
    ] as [Tree, string][]) {
      const checkpoint = await openCheckpoint(await handleFolder(handleOf('top', tree)))
      expect(checkpoint.name).toBe(name)
    }
  })

  it('with two models beside each other, or none that may be read, is refused', async () => {
    await expectFailure(handleFolder(handleOf('top', { a: model, b: model })), 'request-invalid')
    const refused = await expectFailure(
      handleFolder(handleOf('top', model, 'NotAllowedError')),
      'access-refused',
    )
    expect(refused.message).toContain('no longer lets this page read top')
    await expectFailure(handleFolder(handleOf('top', model, 'NotFoundError')), 'file-missing')
    await expectFailure(handleFolder(handleOf('top', model), AbortSignal.abort()), 'cancelled')
  })
})
