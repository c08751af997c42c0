const PATHS = {
  bell: 'M12 3a6 6 0 0 0-6 6c0 5-2 7-2.500 8h17C20 16 18 14 18 9a6 6 0 0 0-6-6zM10 20a2 2 0 0 0 4 0',
  silence: 'M6 9a6 6 0 0 1 9-5.200M18 9c0 5 2 7 2.500 8H9M4 4l16 16M10 20a2 2 0 0 0 4 0',
  warning: 'M12 4 2.500 20h19zM12 10v4M12 17v.5',
  theme: 'M20 14.500A8 8 0 0 1 9.500 4 8 8 0 1 0 20 14.500z',
  check: 'M4 12.500 9.500 18 20 6.500',
  cross: 'M6 6l12 12M18 6 6 18',
  clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3.500 2',
  arrow: 'M4 12h15M13 6l6 6-6 6',
  search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM15.500 15.500 21 21',
  link: 'M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1',
} as const

export type IconName = keyof typeof PATHS

/** Decoration beside a text that says the same. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  )
}
