/** Folder of the browser's private file system that holds merges to disk, one folder each: for page and worker alike. */
export const PRIVATE_MERGES = 'merges'
