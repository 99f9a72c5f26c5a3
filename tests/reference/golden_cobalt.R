# cobalt's standardised differences of numbers by estimand, written out: cobalt is not packaged in Debian.
# Rule of cobalt 5.0.0 (`bal.tab` of weights with an `estimand`): the denominator is the standard deviation of the treated (ATT)
# or of the controls (ATC) before weighting, the square root of the mean of both variances (ATE), and for ATO and ATM that of
# all patients with the weights, before and after weighting alike. Its weighted variance is sum w (x - m)^2 / (sum w - sum w^2 / sum w).
# Usage, from this folder: Rscript golden_cobalt.R   -> golden/cobalt.json
source("golden_functions.R")
col_var <- function(x, w) sum(w * (x - weighted.mean(x, w))^2) / (sum(w) - sum(w^2) / sum(w))
weights_of <- list(ATE = function(a, e) a / e + (1 - a) / (1 - e), ATT = function(a, e) a + (1 - a) * e / (1 - e), ATC = function(a, e) a * (1 - e) / e + (1 - a), ATO = function(a, e) a * (1 - e) + (1 - a) * e, ATM = function(a, e) pmin(e, 1 - e) / (a * e + (1 - a) * (1 - e)))
difference <- function(x, a, w) weighted.mean(x[a == 1], w[a == 1]) - weighted.mean(x[a == 0], w[a == 0])
cobalt <- function(x, a, e) sapply(names(weights_of), function(estimand) { w <- weights_of[[estimand]](a, e)
  spread <- sqrt(switch(estimand, ATE = (var(x[a == 1]) + var(x[a == 0])) / 2, ATT = var(x[a == 1]), ATC = var(x[a == 0]), col_var(x, w)))
  list(before = difference(x, a, rep(1, length(x))) / spread, after = difference(x, a, w) / spread) }, simplify = FALSE)
score <- function(formula, data) { f <- glm(formula, binomial, data, control = tight_glm); fitted(suppressWarnings(glm(formula, binomial, data, start = coef(f), control = list(epsilon = 1e-300, maxit = 2)))) }

d <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d$a <- as.integer(d$regimen == "IsaPd"); d$female <- as.integer(d$sex == "F"); e <- score(a ~ age + female, d)
s <- do.call(rbind, lapply(c("S01", "S02", "S03"), function(site) read.csv(file.path("..", "cases", "29-cobalt-att", "sites", paste0(site, ".csv"))))); s$a <- as.integer(s$arm == "A")
save_json(list(myeloma = sapply(c("age", "crcl"), function(v) cobalt(d[[v]], d$a, e), simplify = FALSE), case_29 = list(age = cobalt(s$age, s$a, score(a ~ age, s)))), "cobalt")
