/** Every list: a page of items, and the cursor of the next page or null. */
export interface ListAnswer<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}
