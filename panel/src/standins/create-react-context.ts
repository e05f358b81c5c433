// Replaces the package "@hypnosphi/create-react-context", with which react-popper works in versions of React that have
// no contexts of their own.

export { createContext as default } from "react";
