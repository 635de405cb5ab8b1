/** Pages that a link can open. Names never change once they have shipped. */
export const pageNames = ['studio', 'compare', 'play', 'learn', 'library', 'merge'] as const

export type PageName = (typeof pageNames)[number]
