// A reader of Python pickles that executes nothing: the opcodes that torch.save writes (protocols 2 to 5), and of what a
// pickle may call, only what the caller lists. Everything else is refused by its name. Opcodes as in Python's pickle.py.

import { EngineError } from '../../../errors.ts'

/** A name that a pickle asks for, not looked up anywhere. */
export class PickleGlobal {
  readonly module: string
  readonly name: string
  constructor(module: string, name: string) {
    this.module = module
    this.name = name
  }
  toString(): string {
    return `${this.module}.${this.name}`
  }
}

export class PickleTuple {
  readonly items: readonly unknown[]
  constructor(items: readonly unknown[]) {
    this.items = items
  }
}

export interface PickleHandlers {
  /** Whether a global may be named at all. */
  allows(global: PickleGlobal): boolean
  /** What calling `global` with `args` stands for; undefined: it cannot be called so. */
  call(global: PickleGlobal, args: readonly unknown[]): unknown
  /** What a persistent id stands for. */
  persistent(id: unknown): unknown
}

export interface Unpickled {
  value: unknown
  /** bytes up to and with the STOP */
  byteLength: number
}

/** The bytes end before the pickle does. */
export class PickleCutOff extends Error {}

const MAX_OPERATIONS = 4_000_000
const MAX_STACK = 1_000_000
/** Integers longer than this have no meaning in a checkpoint, bytes. */
const MAX_INTEGER = 16

/**
 * The value of the pickle at `offset`: null, booleans, numbers, bigints, strings, Uint8Array, PickleTuple, arrays, Maps,
 * PickleGlobals and what the handlers give. Throws EngineError, and PickleCutOff where more bytes are needed.
 */
export function unpickle(bytes: Uint8Array, file: string, handlers: PickleHandlers, offset = 0): Unpickled {
  return new Unpickler(bytes, file, handlers, offset).run()
}

const MARK = Symbol('mark')
const utf8 = new TextDecoder()

class Unpickler {
  private readonly view: DataView
  private readonly stack: unknown[] = []
  private readonly memo = new Map<number, unknown>()
  private readonly begin: number
  private at: number
  private readonly bytes: Uint8Array
  private readonly file: string
  private readonly handlers: PickleHandlers

  constructor(bytes: Uint8Array, file: string, handlers: PickleHandlers, offset: number) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.file = file
    this.handlers = handlers
    this.begin = offset
    this.at = offset
  }

  run(): Unpickled {
    for (let count = 0; count < MAX_OPERATIONS; count++) {
      const opcode = this.bytes[this.take(1)]
      if (opcode === 0x2e) return { value: this.pop(), byteLength: this.at - this.begin }
      this.step(opcode)
      if (this.stack.length > MAX_STACK) this.fail(`more than ${MAX_STACK} values at once`)
    }
    return this.fail(`more than ${MAX_OPERATIONS} operations`)
  }

  private fail(message: string, code: 'file-malformed' | 'file-unsupported' = 'file-malformed'): never {
    throw new EngineError(code, `pickle: ${message}`, { file: this.file, offset: this.at })
  }

  /** Where the next `length` bytes begin, which are then behind. */
  private take(length: number): number {
    if (length > this.bytes.length - this.at) throw new PickleCutOff()
    this.at += length
    return this.at - length
  }

  private text(length: number): string {
    const at = this.take(length)
    return utf8.decode(this.bytes.subarray(at, at + length))
  }

  /** Text up to the end of the line. */
  private line(): string {
    const end = this.bytes.indexOf(0x0a, this.at)
    if (end < 0) throw new PickleCutOff()
    const text = this.text(end - this.at)
    this.take(1)
    return text
  }

  private length64(): number {
    const value = this.view.getBigUint64(this.take(8), true)
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) this.fail(`a text of ${value} bytes`)
    return Number(value)
  }

  private pop(): unknown {
    const value = this.stack.pop()
    if (value === undefined || value === MARK) this.fail('expected a value on the stack')
    return value
  }

  private top(): unknown {
    const value = this.stack[this.stack.length - 1]
    if (value === undefined || value === MARK) this.fail('expected a value on the stack')
    return value
  }

  /** The values above the last mark, which goes too. */
  private popMark(): unknown[] {
    const at = this.stack.lastIndexOf(MARK)
    if (at < 0) this.fail('expected a mark on the stack')
    const items = this.stack.splice(at)
    return items.slice(1)
  }

  private integer(length: number): number | bigint {
    if (length > MAX_INTEGER) this.fail(`an integer of ${length} bytes`)
    const at = this.take(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[at + i])
    if (length > 0 && this.bytes[at + length - 1] & 0x80) value -= 1n << BigInt(8 * length)
    return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER)
      ? Number(value)
      : value
  }

  private global(module: string, name: string): void {
    const global = new PickleGlobal(module, name)
    if (!this.handlers.allows(global)) this.fail(`global ${global} is not allowed`, 'file-unsupported')
    this.stack.push(global)
  }

  private fetch(index: number): void {
    const value = this.memo.get(index)
    if (value === undefined) this.fail(`no value was kept as ${index}`)
    this.stack.push(value)
  }

  private call(): void {
    const args = this.pop()
    const callee = this.pop()
    if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple))
      this.fail('expected a name and its arguments to call')
    const value = this.handlers.call(callee, args.items)
    if (value === undefined) this.fail(`${callee} cannot be called like this`, 'file-unsupported')
    this.stack.push(value)
  }

  private setItems(pairs: readonly unknown[]): void {
    const target = this.top()
    if (!(target instanceof Map) || pairs.length % 2 !== 0)
      this.fail('expected a dictionary and pairs for it')
    for (let i = 0; i < pairs.length; i += 2) target.set(pairs[i], pairs[i + 1])
  }

  private append(items: readonly unknown[]): void {
    const target = this.top()
    if (!Array.isArray(target)) this.fail('expected a list to append to')
    for (const item of items) target.push(item)
  }

  /** Attributes of a dictionary, such as a state dict's `_metadata`: of no use here. */
  private build(): void {
    this.pop()
    if (!(this.top() instanceof Map)) this.fail('attributes of other than a dictionary', 'file-unsupported')
  }

  private tuple(count: number): void {
    const items: unknown[] = []
    for (let i = 0; i < count; i++) items.unshift(this.pop())
    this.stack.push(new PickleTuple(items))
  }

  private step(opcode: number): void {
    const { stack, view } = this
    switch (opcode) {
      case 0x80: {
        const version = this.bytes[this.take(1)]
        if (version > 5) this.fail(`protocol ${version}: expected at most 5`, 'file-unsupported')
        return
      }
      case 0x95: // FRAME: a hint for buffering
        this.take(8)
        return
      case 0x28: // MARK
        stack.push(MARK)
        return
      case 0x4e: // NONE
        stack.push(null)
        return
      case 0x88: // NEWTRUE
        stack.push(true)
        return
      case 0x89: // NEWFALSE
        stack.push(false)
        return
      case 0x4a: // BININT
        stack.push(view.getInt32(this.take(4), true))
        return
      case 0x4b: // BININT1
        stack.push(this.bytes[this.take(1)])
        return
      case 0x4d: // BININT2
        stack.push(view.getUint16(this.take(2), true))
        return
      case 0x8a: // LONG1
        stack.push(this.integer(this.bytes[this.take(1)]))
        return
      case 0x8b: // LONG4
        stack.push(this.integer(view.getUint32(this.take(4), true)))
        return
      case 0x47: // BINFLOAT
        stack.push(view.getFloat64(this.take(8), false))
        return
      case 0x55: // SHORT_BINSTRING, of Python 2
      case 0x8c: // SHORT_BINUNICODE
        stack.push(this.text(this.bytes[this.take(1)]))
        return
      case 0x54: // BINSTRING, of Python 2
      case 0x58: // BINUNICODE
        stack.push(this.text(view.getUint32(this.take(4), true)))
        return
      case 0x8d: // BINUNICODE8
        stack.push(this.text(this.length64()))
        return
      case 0x43: {
        // SHORT_BINBYTES
        const length = this.bytes[this.take(1)]
        const at = this.take(length)
        stack.push(this.bytes.slice(at, at + length))
        return
      }
      case 0x7d: // EMPTY_DICT
        stack.push(new Map())
        return
      case 0x5d: // EMPTY_LIST
        stack.push([])
        return
      case 0x29: // EMPTY_TUPLE
        stack.push(new PickleTuple([]))
        return
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        this.tuple(opcode - 0x84)
        return
      case 0x74: // TUPLE
        stack.push(new PickleTuple(this.popMark()))
        return
      case 0x61: // APPEND
        this.append([this.pop()])
        return
      case 0x65: // APPENDS
        this.append(this.popMark())
        return
      case 0x73: {
        // SETITEM
        const value = this.pop()
        this.setItems([this.pop(), value])
        return
      }
      case 0x75: // SETITEMS
        this.setItems(this.popMark())
        return
      case 0x63: {
        // GLOBAL
        const module = this.line()
        this.global(module, this.line())
        return
      }
      case 0x93: {
        // STACK_GLOBAL
        const name = this.pop()
        const module = this.pop()
        if (typeof name !== 'string' || typeof module !== 'string')
          this.fail('expected the names of a global')
        this.global(module, name)
        return
      }
      case 0x52: // REDUCE
      case 0x81: // NEWOBJ
        this.call()
        return
      case 0x62: // BUILD
        this.build()
        return
      case 0x51: // BINPERSID
        stack.push(this.handlers.persistent(this.pop()))
        return
      case 0x71: // BINPUT
        this.memo.set(this.bytes[this.take(1)], this.top())
        return
      case 0x72: // LONG_BINPUT
        this.memo.set(view.getUint32(this.take(4), true), this.top())
        return
      case 0x94: // MEMOIZE
        this.memo.set(this.memo.size, this.top())
        return
      case 0x68: // BINGET
        this.fetch(this.bytes[this.take(1)])
        return
      case 0x6a: // LONG_BINGET
        this.fetch(view.getUint32(this.take(4), true))
        return
      default:
        this.at--
        this.fail(`opcode 0x${opcode.toString(16).padStart(2, '0')} is not allowed`, 'file-unsupported')
    }
  }
}
