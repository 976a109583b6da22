"""The foundation: frozen values, checked fields, text, secrets. Imports nothing else of the
package."""
