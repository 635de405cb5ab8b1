import { describe, expect, it } from 'vitest'
import { expectFailure, tinyFiles } from '../../testing/tinyCheckpoint.ts'
import { openCheckpoint } from './checkpoint.ts'
import { filesFolder, readJson, readJsonIfPresent, urlFolder } from './folder.ts'
import type { Fetch } from './urlSource.ts'

function drop(paths: Record<string, string | Uint8Array>, isFolder = true): File[] {
  return Object.entries(paths).map(([path, content]) => {
    const file = new File([content as BlobPart], path.split('/').at(-1)!)
    if (isFolder) Object.defineProperty(file, 'webkitRelativePath', { value: path })
    return file
  })
}

/** Serves `files` below https://host/models/tiny/, in the manner of `absent` for all other paths. */
function host(files: ReadonlyMap<string, string | Uint8Array>, absent: () => Response) {
  const asked: string[] = []
  const fetch: Fetch = async (url) => {
    asked.push(url)
    const content = files.get(new URL(url).pathname.replace('/models/tiny/', ''))
    return content === undefined ? absent() : new Response(content as BodyInit)
  }
  return { fetch, asked }
}

describe('dropped files', () => {
  it('opens a folder wherever its config lies, and plain files', async () => {
    const tiny = Object.fromEntries(
      [...tinyFiles()].map(([path, content]) => [`deep/my-model/${path}`, content]),
    )
    const folder = filesFolder(
      drop({ 'deep/notes.txt': 'x', ...tiny, 'deep/my-model/old/config.json': '{}' }),
    )
    expect(folder.name).toBe('my-model')
    expect(folder.list()).toContain('old/config.json')
    expect(folder.list()).not.toContain('notes.txt')
    expect((await openCheckpoint(folder)).parameterCount).toBeGreaterThan(1000)
    const plain = filesFolder(drop(Object.fromEntries(tinyFiles()), false))
    expect((await openCheckpoint(plain)).name).toBe('dropped files')
    expect(await plain.file('none')).toBeUndefined()
  })

  it('refuses none and two', async () => {
    const none = await expectFailure(() => filesFolder(drop({ 'a/model.pt': '' })), 'file-missing', {
      file: 'config.json',
    })
    expect(none.message).toContain('a/model.pt')
    await expectFailure(() => filesFolder([]), 'file-missing')
    const two = { 'x/a/config.json': '{}', 'x/b/config.json': '{}' }
    await expectFailure(() => filesFolder(drop(two)), 'request-invalid', { file: 'x/b/config.json' })
  })
})

describe('URLs', () => {
  it('opens a folder, and takes 404 and start pages for absent files', async () => {
    const files = tinyFiles()
    files.delete('generation_config.json')
    const pages = [
      () => new Response('no', { status: 404 }),
      () => new Response('<!doctype html>', { headers: { 'content-type': 'text/html' } }),
    ]
    for (const page of pages) {
      const { fetch, asked } = host(files, page)
      const folder = urlFolder('/models/tiny/config.json', { fetch, base: 'https://host/app/' })
      const checkpoint = await openCheckpoint(folder)
      expect(checkpoint.name).toBe('tiny')
      expect(checkpoint.config.endTokens).toEqual([98])
      expect(folder.list()).toContain('model.safetensors')
      const count = asked.length
      await checkpoint.readWeight('model.norm.weight')
      await folder.file('config.json')
      expect(asked).toHaveLength(count)
    }
  })

  it('keeps a failing server apart from an absent file', async () => {
    const { fetch } = host(new Map(), () => new Response('', { status: 503 }))
    const folder = urlFolder('https://host/models/tiny', { fetch })
    const error = await expectFailure(readJsonIfPresent(folder, 'config.json'), 'file-missing', {
      file: 'config.json',
    })
    expect(error.message).toContain('503')
    const empty = urlFolder('https://host/models/tiny', {
      fetch: host(new Map(), () => new Response('', { status: 404 })).fetch,
    })
    expect(await readJsonIfPresent(empty, 'config.json')).toBeUndefined()
    await expectFailure(readJson(empty, 'config.json'), 'file-missing', { file: 'config.json' })
  })

  it('takes a GGUF file and its parts for a model, and nothing beside them', async () => {
    const { fetch, asked } = host(new Map(), () => new Response('', { status: 404 }))
    const hub = 'https://huggingface.co/org/name'
    const folder = urlFolder(`${hub}/blob/main/q8/m-00001-of-00002.gguf?download=true`, { fetch })
    expect(folder.name).toBe('m-00001-of-00002')
    expect(folder.list()).toEqual(['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf'])
    expect(await folder.file('model.safetensors')).toBeUndefined()
    await folder.file('m-00002-of-00002.gguf')
    expect(asked).toEqual([`${hub}/resolve/main/q8/m-00002-of-00002.gguf`])
    expect(urlFolder('https://host/a%20b.gguf', { fetch }).list()).toEqual(['a b.gguf'])
    expect(urlFolder('https://host/100%.gguf', { fetch }).list()).toEqual(['100%.gguf'])
  })

  it('takes a dropped GGUF file for a model', async () => {
    const folder = filesFolder([new File(['x'], 'notes.txt'), new File(['GGUF'], 'm.gguf')])
    expect(folder.name).toBe('m')
    expect((await folder.file('m.gguf'))?.size).toBe(4)
  })

  it('understands model pages', async () => {
    const ask = async (url: string) => {
      const { fetch, asked } = host(new Map(), () => new Response('', { status: 404 }))
      const folder = urlFolder(url, { fetch })
      await folder.file('a b.json')
      return [folder.name, asked[0]]
    }
    const hub = 'https://huggingface.co'
    expect(await ask(`${hub}/org/name`)).toEqual(['name', `${hub}/org/name/resolve/main/a%20b.json`])
    expect(await ask(`${hub}/org/name/tree/v2/sub/?x=1#y`)).toEqual([
      'name',
      `${hub}/org/name/resolve/v2/sub/a%20b.json`,
    ])
    expect(await ask(`${hub}/org/name/resolve/main/`)).toEqual([
      'name',
      `${hub}/org/name/resolve/main/a%20b.json`,
    ])
    expect(await ask('http://localhost:8080')).toEqual(['localhost', 'http://localhost:8080/a%20b.json'])
    expect((await ask('https://host/100%'))[0]).toBe('100%')
    expect((await ask('https://host/a%20b/'))[0]).toBe('a b')
    for (const wrong of ['', 'not a url', 'file:///etc/passwd', 'javascript:alert(1)'])
      await expectFailure(() => urlFolder(wrong), 'request-invalid')
  })
})
