import { type KeyboardEvent, useRef } from 'react'
import type { AqiView } from '../../../workers/api.ts'
import { t } from '../../language/translate.ts'
import { choiceParameters } from '../../share/parameters.ts'
import { setAqiView } from '../../state/actions/view.ts'

const { options } = choiceParameters.aqiView

/** The three views of AQI as tabs: arrow keys move, one tab stop for all. */
export function ViewTabs({ view }: { view: AqiView }) {
  const list = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0) return
    event.preventDefault()
    const index = options.findIndex((option) => option.value === view)
    const next = (index + step + options.length) % options.length
    setAqiView(options[next]!.value)
    list.current?.querySelectorAll('button')[next]?.focus()
  }
  return (
    <div ref={list} className="tabs" role="tablist" aria-label={t('AQI view')}>
      {options.map(({ value, label, brief }) => (
        <button
          key={value}
          type="button"
          role="tab"
          aria-selected={value === view}
          aria-controls="cluster-picture"
          tabIndex={value === view ? 0 : -1}
          title={t(brief)}
          onClick={() => setAqiView(value)}
          onKeyDown={onKeyDown}
        >
          {t(label)}
        </button>
      ))}
    </div>
  )
}
