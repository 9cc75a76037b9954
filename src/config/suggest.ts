/** "Did you mean …", of names in settings: as of those in a route's conditions. */
export { nearest as suggest } from '../route/nearest.ts'
