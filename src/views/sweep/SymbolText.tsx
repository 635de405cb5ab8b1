import { Fragment } from 'react'

/** Plain words in which `λ_align` gets a real subscript. */
export function SymbolText({ text }: { text: string }) {
  const parts = text.split(/([λμ]_[a-z]+)/)
  return parts.map((part, index) => {
    const [letter, subscript] = index % 2 === 1 ? part.split('_') : [part]
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text
      <Fragment key={index}>
        {letter}
        {subscript && <sub>{subscript}</sub>}
      </Fragment>
    )
  })
}
