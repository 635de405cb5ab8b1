import { type FormEvent, useRef, useState } from 'react'
import { isHttpUrl } from '../../share/experiment.ts'
import { microFamilies } from '../../share/families.ts'
import { openAddress, openFamily, openFolder } from '../../state/actions/models.ts'
import { collectDroppedFiles } from './droppedFiles.ts'

/** A drop zone for a Hugging Face folder and a field for an address. */
export function OpenModel() {
  const [isOver, setOver] = useState(false)
  const [address, setAddress] = useState('')
  const picker = useRef<HTMLInputElement>(null)
  const isValid = isHttpUrl(address.trim())

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!isValid) return
    setAddress('')
    void openAddress(address.trim())
  }
  return (
    <div className="open-model">
      <section
        className="drop-zone"
        aria-label="Drop zone for a model folder"
        data-over={isOver || undefined}
        onDragOver={(event) => {
          event.preventDefault()
          setOver(true)
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault()
          setOver(false)
          void collectDroppedFiles(event.dataTransfer).then(openFolder)
        }}
      >
        Drop a Hugging Face folder, or{' '}
        <button type="button" className="text-button" onClick={() => picker.current?.click()}>
          choose one
        </button>
        <input
          ref={picker}
          type="file"
          hidden
          multiple
          aria-label="Model folder"
          // A folder picker where there is one; elsewhere its files are chosen together.
          {...{ webkitdirectory: '' }}
          onChange={(event) => {
            void openFolder([...(event.target.files ?? [])])
            event.target.value = ''
          }}
        />
      </section>
      <form className="open-address" onSubmit={submit}>
        <input
          type="url"
          aria-label="Address of a Hugging Face folder"
          placeholder="https://…/resolve/main/"
          value={address}
          onChange={(event) => setAddress(event.target.value)}
        />
        <button type="submit" disabled={!isValid}>
          Open
        </button>
      </form>
      <label className="open-family">
        Small built-in family{' '}
        <select
          value=""
          onChange={(event) => {
            const family = microFamilies.find(({ id }) => id === event.target.value)
            if (family) void openFamily(family)
          }}
        >
          <option value="">choose …</option>
          {microFamilies.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <p className="hint">config.json, *.safetensors, tokenizer.json. Files stay on this machine.</p>
    </div>
  )
}
