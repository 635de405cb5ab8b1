// Where merges to disk stand in the browser's private file system: told to the page and to the worker alike.

/** Folder of all of them, one folder each inside. */
export const PRIVATE_MERGES = 'merges'

/** Beside the weights until a merge is complete. */
export const MERGE_JOURNAL = 'merge.journal.jsonl'
