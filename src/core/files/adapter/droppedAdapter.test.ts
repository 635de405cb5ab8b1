import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { expectFailure } from '../../../testing/tinyCheckpoint.ts'
import { type Checkpoint, openCheckpoint } from '../checkpoint.ts'
import { filesFolder } from '../folder.ts'
import { openDropped, splitAdapter } from './droppedAdapter.ts'

const GOLDEN = join(import.meta.dirname, 'golden')

const dropped = (path: string, content: Uint8Array | string): File => {
  const file = new File([content as BlobPart], path.split('/').at(-1)!)
  Object.defineProperty(file, 'webkitRelativePath', { value: path.includes('/') ? path : '' })
  return file
}
const golden = async (path: string) => new Uint8Array(await readFile(join(GOLDEN, path)))

let base: File[]
let adapter: (root: string, baseName?: string) => Promise<File[]>
let open: Checkpoint
beforeAll(async () => {
  const { llama } = JSON.parse(await readFile(join(GOLDEN, 'configs.json'), 'utf8'))
  base = [
    dropped('Llama-Tiny/config.json', JSON.stringify(llama)),
    dropped('Llama-Tiny/model.safetensors', await golden('llama.safetensors')),
  ]
  adapter = async (root, baseName) => {
    const config = JSON.parse(await readFile(join(GOLDEN, 'llama-rslora/adapter_config.json'), 'utf8'))
    return [
      dropped(`${root}adapter_config.json`, JSON.stringify({ ...config, base_model_name_or_path: baseName })),
      dropped(`${root}adapter_model.safetensors`, await golden('llama-rslora/adapter_model.safetensors')),
    ]
  }
  open = await openCheckpoint(filesFolder(base))
})

describe('dropped adapters', () => {
  it('go onto the model beside them, the one they name, or the only one', async () => {
    const both = await openDropped([...base, ...(await adapter('lora/'))], [])
    expect(both.name).toBe('Llama-Tiny+lora')
    const flat = await openDropped(await adapter('', 'someone/llama-tiny'), [{ ...open, name: 'x' }, open])
    expect(flat.name).toBe('Llama-Tiny+dropped adapter')
    const only = await openDropped(await adapter('lora/', 'someone/else'), [open])
    const weight = 'model.layers.0.mlp.up_proj.weight'
    const values = await Promise.all([both, flat, only].map((one) => one.readWeight(weight)))
    expect(values[1]).toEqual(values[0])
    expect(values[2]).toEqual(values[0])
    expect(values[0]).not.toEqual(await open.readWeight(weight))
  })

  it('inside the folder of their model too', async () => {
    const nested = await openDropped([...base, ...(await adapter('Llama-Tiny/lora/'))], [])
    expect(nested.name).toBe('Llama-Tiny+lora')
  })

  it('are none among other files, and one at a time', async () => {
    expect(splitAdapter(base)).toBeUndefined()
    expect((await openDropped(base, [])).name).toBe('Llama-Tiny')
    const two = [...(await adapter('a/')), ...(await adapter('b/'))]
    await expectFailure(openDropped(two, [open]), 'request-invalid', { file: 'b/adapter_config.json' })
    const error = await expectFailure(
      openDropped(await adapter('lora/', 'org/Other'), [open, { ...open, name: 'second' }]),
      'request-invalid',
    )
    expect(error.message).toContain('the adapter is for org/Other: open that one first')
    expect(error.message).toContain('open: Llama-Tiny, second')
  })
})
