// Every package that may be in the page, with its licence and the licence's text, from the lock file and from what is
// installed. A package without either is an error, not a gap.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from 'vite'

export interface Licence {
  name: string
  version: string
  /** SPDX */
  licence: string
  /** index into `texts` */
  text: number
}

export interface LicenceList {
  packages: Licence[]
  /** each once; many packages share theirs to the letter */
  texts: string[]
}

/** Terms that allow the page to be passed on with its notices. */
const allowed = new Set(['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'CC0-1.0'])

export const isAllowed = (spdx: string): boolean =>
  spdx.split(/ (?:AND|OR) /).every((part) => allowed.has(part.replace(/[()]/g, '')))

interface LockedPackage {
  version?: string
  license?: string
  dev?: boolean
  devOptional?: boolean
  optional?: boolean
}

const isLicenceFile = (name: string) => /^(licen[cs]e|copying|copyright)([.-].*)?$/i.test(name)

/** Text of the licence in an installed package; its package's own words where it ships none. */
function textOf(folder: string, licence: string): string {
  const name = readdirSync(folder).filter(isLicenceFile).sort()[0]
  if (name !== undefined) return readFileSync(join(folder, name), 'utf8').trim()
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string
    author?: string | { name: string }
  }
  const author = typeof about.author === 'object' ? about.author.name : about.author
  return `${about.name} ships no licence file; its package.json says ${licence}${author ? `, by ${author}` : ''}.`
}

/** All packages of the lock file that are no tools, by name. Throws when one is not installed or not licensed. */
export function listLicences(root: string): LicenceList {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  const texts: string[] = []
  const packages = Object.entries(lock.packages)
    // Declarations of types are no part of what runs.
    .filter(
      ([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional && !path.includes('/@types/'),
    )
    .filter(([path, { optional }]) => !optional || existsSync(join(root, path)))
    .map(([path, { version, license }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      if (!version || !license) throw new Error(`package-lock.json gives no licence of ${name}`)
      const text = textOf(join(root, path), license)
      if (!texts.includes(text)) texts.push(text)
      return { name, version, licence: license, text: texts.indexOf(text) }
    })
    .sort((a, b) => a.name.localeCompare(b.name, 'en'))
  return { packages, texts }
}

/** Writes `licences.json` beside the page, for About. */
export function licencesPlugin(): Plugin {
  let root = ''
  return {
    name: 'alignmerge:licences',
    configResolved(config) {
      root = config.root
    },
    configureServer({ middlewares }) {
      middlewares.use('/licences.json', (_request, response) => {
        response.setHeader('Content-Type', 'application/json')
        response.end(JSON.stringify(listLicences(root)))
      })
    },
    generateBundle() {
      this.emitFile({
        type: 'asset',
        fileName: 'licences.json',
        source: JSON.stringify(listLicences(root)),
      })
    },
  }
}
