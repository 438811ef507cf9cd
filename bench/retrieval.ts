export interface RetrievalOptions { readonly [name: string]: unknown }
export async function runRetrieval(_o: RetrievalOptions, _e: string, _s: (l: string) => void): Promise<never> { throw new Error('x'); }
