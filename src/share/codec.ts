// Reads the address bar's part of a link, #v<version>.<base64url(deflate(JSON))>. Reading never throws: it says in
// words what is wrong, because links are cut by mailers, edited by hand and opened by older studios than the one that
// wrote them.

import { Inflate, strFromU8 } from 'fflate'
import { maxHashCharacters } from './encode.ts'
import { type LinkState, validateLink } from './experiment.ts'
import { currentVersion, upgradeContent } from './upgrades.ts'

export { encodeLink } from './encode.ts'

export type DecodedLink =
  | { kind: 'none' }
  | { kind: 'link'; state: LinkState; adjusted: string[] }
  | { kind: 'invalid'; reason: string }

/** Anything longer is not one of ours, and a small deflate stream may hide a huge text. */
const maxContentBytes = 262_144
/** Ours are at most eight deep. */
const maxDepth = 16

function fromBase64Url(text: string): Uint8Array {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

/** Inflates in pieces and stops at the limit. */
function inflateWithin(bytes: Uint8Array, maxBytes: number): Uint8Array | undefined {
  const pieces: Uint8Array[] = []
  let total = 0
  let isFinished = false
  const inflate = new Inflate((piece, isLast) => {
    total += piece.length
    if (total <= maxBytes) pieces.push(piece)
    isFinished = isLast
  })
  const stride = 256
  for (let start = 0; start < bytes.length && total <= maxBytes; start += stride) {
    inflate.push(bytes.subarray(start, start + stride), start + stride >= bytes.length)
  }
  if (!isFinished || total > maxBytes) return undefined
  const content = new Uint8Array(total)
  let offset = 0
  for (const piece of pieces) {
    content.set(piece, offset)
    offset += piece.length
  }
  return content
}

/** True when brackets outside of strings are nested no deeper than `most`. */
function isShallow(text: string, most: number): boolean {
  let depth = 0
  let isText = false
  for (let index = 0; index < text.length; index++) {
    const character = text.charCodeAt(index)
    if (isText) {
      if (character === 0x5c) index++
      else if (character === 0x22) isText = false
    } else if (character === 0x22) isText = true
    else if (character === 0x5b || character === 0x7b) {
      if (++depth > most) return false
    } else if (character === 0x5d || character === 0x7d) depth--
  }
  return true
}

/** Reads a hash. An empty one is no link. */
export function decodeLink(hash: string): DecodedLink {
  const text = hash.replace(/^#/, '')
  if (text === '') return { kind: 'none' }
  if (text.length > maxHashCharacters)
    return invalid(`it has ${text.length} characters, more than the ${maxHashCharacters} a link may have`)
  const match = /^v(\d{1,6})\.([A-Za-z0-9_-]*)$/.exec(text)
  if (!match) return invalid('it does not have the form #v1.<letters, digits, - and _>')
  const version = Number(match[1])
  if (version > currentVersion)
    return invalid(
      `it has version ${version}, made by a newer studio; this one reads up to version ${currentVersion}. Reload the page for the newest studio`,
    )
  let content: unknown
  try {
    const bytes = inflateWithin(fromBase64Url(match[2]!), maxContentBytes)
    if (!bytes) return invalid('its content is cut off or too long')
    const json = strFromU8(bytes)
    if (!isShallow(json, maxDepth)) return invalid(`its content is nested deeper than ${maxDepth} levels`)
    content = JSON.parse(json)
  } catch {
    return invalid('its content cannot be decoded; part of the address may be missing')
  }
  let upgraded: { content: unknown } | undefined
  try {
    upgraded = upgradeContent(content, version)
  } catch {
    return invalid(`its content is not that of a version ${version} link`)
  }
  if (!upgraded) return invalid(`it has version ${version}, which was never in use`)
  const validated = validateLink(upgraded.content)
  if (!validated.ok) return invalid(validated.reason)
  return { kind: 'link', state: validated.value, adjusted: validated.adjusted }
}

function invalid(reason: string): DecodedLink {
  return { kind: 'invalid', reason }
}
