// What kind of failure a code stands for, in the page's language. The message beside it is the core's, in English, with
// what was found, what was expected and where.

import { t } from '../../language/translate.ts'
import type { Failure } from '../../state/failure.ts'

const kinds: Record<Failure['code'], () => string> = {
  'file-missing': () => t('A file is not there'),
  'file-malformed': () => t('A file contradicts its own format'),
  'access-refused': () => t('The server wants a token, a consent or a right'),
  'file-unsupported': () => t('A kind of file that is not read here'),
  'hash-mismatch': () => t('Not the bytes that were promised'),
  'storage-full': () => t('The browser’s storage is full'),
  'storage-busy': () => t('Another tab is at the same model'),
  'config-unsupported': () => t('An architecture or switch that is not computed here'),
  'shape-mismatch': () => t('These do not fit together'),
  'tokenizer-mismatch': () => t('The models do not share a tokenizer'),
  'not-finite': () => t('NaN or infinity where a number must be'),
  'gpu-unavailable': () => t('No usable graphics adapter'),
  'gpu-limit': () => t('More than the graphics adapter holds'),
  'gpu-failed': () => t('The graphics device refused the work'),
  'runtime-failed': () => t('The other runtime broke off'),
  'device-lost': () => t('The graphics device went away'),
  cancelled: () => t('Stopped'),
  'link-invalid': () => t('The address cannot be read'),
  'request-invalid': () => t('This cannot be done as asked'),
  'check-failed': () => t('A check found a wrong number'),
  unexpected: () => t('A fault of the studio'),
}

export const failureKind = ({ code }: Failure): string => kinds[code]()
