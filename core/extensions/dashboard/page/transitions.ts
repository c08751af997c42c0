/** What happens to alerts, by the names of the figures. */
export const FIGURES = ['alerts', 'recoveries', 'accumulating', 'duplicates'] as const
export type Figure = (typeof FIGURES)[number]
