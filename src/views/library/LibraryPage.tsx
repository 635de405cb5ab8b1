export { LibraryView as default } from './LibraryView.tsx'
