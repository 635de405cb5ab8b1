// Simplified Chinese. Keys are the English texts as they stand in the code; translate.test.ts holds the two together.

import type { Catalogue } from './translate.ts'

export const catalogue: Catalogue = {}
