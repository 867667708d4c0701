/** JSON as PostgreSQL prints it. It is never parsed on its way out: JavaScript numbers would lose digits. */
export class JsonText {
  constructor(readonly text: string) {}
}
