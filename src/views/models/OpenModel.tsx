import { type FormEvent, useState } from 'react'
import { t } from '../../language/translate.ts'
import { isHttpUrl } from '../../share/experiment.ts'
import { microFamilies } from '../../share/families.ts'
import { openAddress, openFamily, openFolder } from '../../state/actions/models.ts'
import { useMissing } from '../../state/needs.ts'
import { DropZone, PickFiles } from '../controls/DropZone.tsx'
import { collectDroppedFiles } from './droppedFiles.ts'

/** A drop zone for a Hugging Face folder and a field for an address. */
export function OpenModel() {
  const [address, setAddress] = useState('')
  const isValid = isHttpUrl(address.trim())
  const missing = useMissing('ownModels')

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!isValid) return
    setAddress('')
    void openAddress(address.trim())
  }
  return (
    <div className="open-model">
      {missing ? (
        <p className="hint">{missing}</p>
      ) : (
        <>
          <DropZone
            label={t('Drop zone for a model folder')}
            onDrop={(data) => void collectDroppedFiles(data).then(openFolder)}
          >
            {t('Drop a Hugging Face folder, or')}{' '}
            <PickFiles label={t('Model folder')} onFiles={(files) => void openFolder(files)}>
              {t('choose one')}
            </PickFiles>
          </DropZone>
          <form className="open-address" onSubmit={submit}>
            <input
              type="url"
              aria-label={t('Address of a Hugging Face folder')}
              placeholder={t('https://…/resolve/main/')}
              value={address}
              onChange={(event) => setAddress(event.target.value)}
            />
            <button type="submit" disabled={!isValid}>
              {t('Open')}
            </button>
          </form>
        </>
      )}
      <label className="open-family">
        {t('Small built-in family')}{' '}
        <select
          value=""
          onChange={(event) => {
            const family = microFamilies.find(({ id }) => id === event.target.value)
            if (family) void openFamily(family)
          }}
        >
          <option value="">{t('choose …')}</option>
          {microFamilies.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {!missing && (
        <p className="hint">{t('config.json, *.safetensors, tokenizer.json. Files stay on this machine.')}</p>
      )}
    </div>
  )
}
