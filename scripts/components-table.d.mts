export function componentsTable(
  components: readonly { readonly kind: string; readonly type: string; readonly description: string }[],
): string
