resource "aws_apigatewayv2_api" "partners" {
  name          = "${local.name}-partners"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "partners" {
  api_id                 = aws_apigatewayv2_api.partners.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.partner_orders.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_authorizer" "partners" {
  api_id           = aws_apigatewayv2_api.partners.id
  name             = "partners"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = "https://login.shop.example"
    audience = ["partners"]
  }
}

resource "aws_apigatewayv2_route" "place_order" {
  api_id             = aws_apigatewayv2_api.partners.id
  route_key          = "POST /orders"
  target             = "integrations/${aws_apigatewayv2_integration.partners.id}"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.partners.id
}

resource "aws_apigatewayv2_route" "order_status" {
  api_id             = aws_apigatewayv2_api.partners.id
  route_key          = "GET /orders/{id}"
  target             = "integrations/${aws_apigatewayv2_integration.partners.id}"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.partners.id
}

resource "aws_apigatewayv2_stage" "live" {
  api_id      = aws_apigatewayv2_api.partners.id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.partners.arn
    format          = "$context.requestId $context.identity.sourceIp $context.routeKey $context.status $context.authorizer.claims.sub"
  }

  default_route_settings {
    throttling_rate_limit  = var.partner_api_throttle
    throttling_burst_limit = var.partner_api_throttle
  }
}

resource "aws_lambda_function" "partner_orders" {
  function_name = "${local.name}-partner-orders"
  role          = aws_iam_role.partner_orders.arn
  runtime       = "python3.13"
  handler       = "api.handle"
  filename      = "build/partner_orders.zip"
  timeout       = 10

  reserved_concurrent_executions = 100

  environment {
    variables = {
      ORDERS_TABLE   = aws_dynamodb_table.orders.name
      PAYMENTS_QUEUE = aws_sqs_queue.payments.url
    }
  }
}

resource "aws_lambda_permission" "partners" {
  function_name = aws_lambda_function.partner_orders.function_name
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.partners.execution_arn}/*/*"
}

resource "aws_cloudwatch_log_group" "partners" {
  name              = "/api/${local.name}-partners"
  retention_in_days = 90
}
