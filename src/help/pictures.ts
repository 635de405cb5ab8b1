// The pictures of the method cards; written by pictures.test.ts from the references.

import data from './pictures.json' with { type: 'json' }
import type { MethodPicture } from './types.ts'

export const pictures = data as readonly MethodPicture[]
