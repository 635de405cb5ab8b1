// Writes the address bar's part of a link: #v<version>.<base64url(deflate(JSON))>. Apart from reading, which knows all
// methods: whoever only writes a link needs none of them.

import { deflateSync, strToU8 } from 'fflate'
import type { LinkState } from './experiment.ts'
import { currentVersion } from './upgrades.ts'

/** Characters of a hash without its #: what browsers, mailers and chats still carry. */
export const maxHashCharacters = 16_384

function toBase64Url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** The hash, with its leading #, that carries this state. */
export function encodeLink(state: LinkState): string {
  return `#v${currentVersion}.${toBase64Url(deflateSync(strToU8(JSON.stringify(state)), { level: 9 }))}`
}
