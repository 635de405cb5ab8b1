// The declarations of all merge methods, without their code: what the page and a link need to know.

import type { MethodDeclaration } from '../declaration.ts'

const modules = import.meta.glob<{ declaration: MethodDeclaration }>('./*/declaration.ts', { eager: true })

export const DECLARATIONS: readonly MethodDeclaration[] = Object.values(modules)
  .map(({ declaration }) => declaration)
  .sort((a, b) => a.id.localeCompare(b.id))
