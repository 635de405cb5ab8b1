/** Beside the weights until a merge is complete; the page looks for it too, and loads nothing else of the writer. */
export const JOURNAL_FILE = 'merge.journal.jsonl'
