# Images of the application. A tag is written once, so that what was reviewed is what runs.
resource "aws_ecr_repository" "this" {
  name                 = local.repository
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.this.arn
  }
}

# What has another tag than these is a release, and stays.
resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Images without a tag"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Images of pull requests"
        selection = {
          tagStatus      = "tagged"
          tagPatternList = ["pr-*"]
          countType      = "sinceImagePushed"
          countUnit      = "days"
          countNumber    = var.image_retention_days
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 3
        description  = "Images of commits"
        selection = {
          tagStatus      = "tagged"
          tagPatternList = ["sha-*"]
          countType      = "sinceImagePushed"
          countUnit      = "days"
          countNumber    = var.image_retention_days
        }
        action = { type = "expire" }
      },
    ]
  })
}
