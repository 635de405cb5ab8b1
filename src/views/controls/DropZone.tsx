import { type ReactNode, useRef, useState } from 'react'

/** A place to drop files on, with whatever else offers them inside. `onDrop` is given the data while it can be read. */
export function DropZone({
  label,
  onDrop,
  children,
}: {
  label: string
  onDrop: (data: DataTransfer) => void
  children: ReactNode
}) {
  const [isOver, setOver] = useState(false)
  return (
    // biome-ignore lint/a11y/useSemanticElements: no group of form fields, and a page has several
    <div
      role="group"
      className="drop-zone"
      aria-label={label}
      data-over={isOver || undefined}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault()
        setOver(false)
        onDrop(event.dataTransfer)
      }}
    >
      {children}
    </div>
  )
}

/** A button in a sentence that opens a picker: of a folder, or of files of the kinds in `accept`. */
export function PickFiles({
  label,
  accept,
  onFiles,
  open,
  children,
}: {
  /** of the input, which tests and assistive tools see */
  label: string
  accept?: string
  onFiles: (files: File[]) => void
  /** another way to pick, where the browser has one; false: the input is opened */
  open?: () => Promise<boolean>
  children: ReactNode
}) {
  const input = useRef<HTMLInputElement>(null)
  const pick = async () => {
    if (!(await open?.())) input.current?.click()
  }
  // React does not know the attribute. A folder picker where there is one; elsewhere its files are chosen together.
  const kind = accept === undefined ? { multiple: true, webkitdirectory: '' } : { accept }
  return (
    <>
      <button type="button" className="text-button" onClick={() => void pick()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={label}
        {...kind}
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])])
          event.target.value = ''
        }}
      />
    </>
  )
}
