// What we would tell a user, in words. Numbers stand in the tables below it.

export const ADVICE: readonly string[] = []
