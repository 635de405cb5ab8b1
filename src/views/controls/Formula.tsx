import { Fragment } from 'react'

/** A short formula: `λ_align` and `θ_0` get real subscripts, the rest stays as it is. */
export function Formula({ text }: { text: string }) {
  if (text === '') return null
  const parts = text.split(/_([\p{L}\p{N}]+)/u)
  return (
    <var>
      {parts.map((part, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one fixed text
        <Fragment key={index}>{index % 2 === 1 ? <sub>{part}</sub> : part}</Fragment>
      ))}
    </var>
  )
}
