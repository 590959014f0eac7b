terraform {
  required_version = ">= 1.11.0"

  required_providers {
    menagerie = {
      source = "menagerie.local/menagerie/menagerie"
    }
  }
}
