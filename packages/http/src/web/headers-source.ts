/**
 * What headers are made of, as the web takes it (its `HeadersInit`): pairs, a record, `Headers`. Of `RequestInit`, since the types of Node have no global of that name, as TypeScript's
 * library "dom" has: these types work with either.
 */
export type HeadersSource = NonNullable<RequestInit["headers"]>;
