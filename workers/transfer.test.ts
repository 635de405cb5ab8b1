import { expose, proxy, type Remote, wrap } from 'comlink'
import { afterEach, describe, expect, it } from 'vitest'
import { EngineError } from '../src/core/errors.ts'
import { registerTransferHandlers } from './transfer.ts'

registerTransferHandlers()

const api = {
  fail(kind: 'engine' | 'type' | 'text'): void {
    if (kind === 'engine')
      throw new EngineError('file-malformed', 'header ends early', { file: 'a.safetensors', offset: 8 })
    if (kind === 'type') throw new TypeError('no number')
    throw 'bare text'
  },
  report(onError: (error: EngineError) => void): void {
    onError(new EngineError('gpu-limit', 'too large', { tensor: 'wte' }))
  },
}

let channel: MessageChannel
function connect(): Remote<typeof api> {
  channel = new MessageChannel()
  expose(api, channel.port1)
  return wrap<typeof api>(channel.port2)
}
afterEach(() => channel.port1.close())

async function caught(kind: 'engine' | 'type' | 'text'): Promise<unknown> {
  try {
    await connect().fail(kind)
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

describe('transfer', () => {
  it('keeps code, message and place of a thrown engine error', async () => {
    const error = await caught('engine')
    expect(error).toBeInstanceOf(EngineError)
    expect(error).toMatchObject({
      code: 'file-malformed',
      message: 'header ends early (file a.safetensors, offset 8)',
      where: { file: 'a.safetensors', offset: 8 },
    })
  })

  it('keeps name and message of other errors, and bare values', async () => {
    expect(await caught('type')).toMatchObject({ name: 'TypeError', message: 'no number' })
    expect(await caught('text')).toBe('bare text')
  })

  it('carries an engine error as an argument', async () => {
    const remote = connect()
    const received = await new Promise<unknown>((resolve) => void remote.report(proxy(resolve)))
    expect(received).toBeInstanceOf(EngineError)
    expect(received).toMatchObject({ code: 'gpu-limit', where: { tensor: 'wte' } })
  })
})
