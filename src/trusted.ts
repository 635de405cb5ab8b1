// The page's policy (scripts/site/headers.mjs) forbids turning text into scripts. Starting a worker is the one place
// that needs an address as text; addresses of this site pass, all else is refused. Import it before anything else.

interface PolicyFactory {
  createPolicy(name: string, rules: { createScriptURL(url: string): string | null }): unknown
}

const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes
factory?.createPolicy('default', {
  createScriptURL: (url) => (new URL(url, self.location.href).origin === self.location.origin ? url : null),
})
