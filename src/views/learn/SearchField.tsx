export interface SearchFieldProps {
  label: string
  query: string
  /** how much is found, in words */
  found: string
  onChange: (query: string) => void
}

export function SearchField({ label, query, found, onChange }: SearchFieldProps) {
  return (
    <span className="learn-search">
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={query}
        onChange={(event) => onChange(event.target.value)}
      />
      <small role="status">{found}</small>
    </span>
  )
}
