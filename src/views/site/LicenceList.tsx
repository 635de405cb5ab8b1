import { useState } from 'react'
import { t } from '../../language/translate.ts'

interface Licences {
  packages: { name: string; version: string; licence: string; text: number }[]
  texts: string[]
}

/** Whose work is in the page, and under which terms; fetched when it is unfolded. */
export function LicenceList() {
  const [list, setList] = useState<Licences | null>(null)
  const [failure, setFailure] = useState<string | null>(null)
  const load = async () => {
    try {
      const response = await fetch(new URL('licences.json', document.baseURI))
      if (!response.ok) throw new Error(`licences.json: ${response.status}`)
      setList((await response.json()) as Licences)
      setFailure(null)
    } catch (error) {
      setFailure(error instanceof Error ? error.message : String(error))
    }
  }
  return (
    <details
      className="licences"
      onToggle={(event) => {
        if (event.currentTarget.open && !list) void load()
      }}
    >
      <summary>{t('Licences of everything in this page')}</summary>
      {failure !== null && <p role="alert">{failure}</p>}
      {list && (
        <>
          <p className="muted">
            {t('{count} packages besides the studio itself, which is Apache-2.0.', {
              count: list.packages.length,
            })}
          </p>
          <ul>
            {list.packages.map(({ name, version, licence, text }) => (
              <li key={`${name} ${version}`}>
                <details>
                  <summary>
                    {name} {version} <small>{licence}</small>
                  </summary>
                  {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
                  <pre tabIndex={0}>{list.texts[text]}</pre>
                </details>
              </li>
            ))}
          </ul>
        </>
      )}
    </details>
  )
}
