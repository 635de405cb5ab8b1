import type { Server } from 'node:http'

export function serve(
  folder: string,
  options?: { port?: number; isPortFixed?: boolean },
): Promise<{ server: Server; url: string }>
