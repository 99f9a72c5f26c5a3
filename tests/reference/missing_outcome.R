# Weighted models (stabilised) of outcomes that some patients lack, with weights from all patients: the numbers of
# `each_outcome_has_the_rows_with_its_own_values` (tests/tests/all/cells.rs). Run beside `cases`:
# Rscript missing_outcome.R ../cases/15-empty-interaction-cell/sites
library(survival)
options(digits = 17)
folder <- commandArgs(TRUE)[1]
x <- do.call(rbind, lapply(sort(list.files(folder, full.names = TRUE)), function(file) {
  rows <- read.csv(file)
  i <- seq_len(nrow(rows)) - 1
  rows$resp[i %% 7 == 2] <- NA
  rows$days[i %% 9 == 4] <- NA
  rows$died[i %% 11 == 5] <- NA
  rows
}))
a <- as.numeric(x$arm == "A")
Z <- cbind(1, x$age - mean(x$age))
ps <- glm(a ~ Z - 1, family = binomial, control = glm.control(1e-15, 50))
e <- as.vector(plogis(Z %*% coef(ps)))
p <- mean(a)
w <- ifelse(a == 1, p / e, (1 - p) / (1 - e))
slope <- ifelse(a == 1, -p * (1 - e) / e, (1 - p) * e / (1 - e)) # d w / d eta
share <- ifelse(a == 1, 1 / e, -1 / (1 - e)) # d w / d p
s <- Z * (a - e)
A <- t(Z) %*% (Z * (e * (1 - e)))

# logistic: rows without the outcome have no score, and a part in the propensity model
R <- !is.na(x$resp)
y <- ifelse(R, x$resp, 0)
X <- cbind(1, a)
b <- c(0, 0)
for (k in 1:30) {
  mu <- as.vector(plogis(X %*% b))
  I <- t(X) %*% (X * (R * w * mu * (1 - mu)))
  b <- b + as.vector(solve(I, t(X) %*% (R * w * (y - mu))))
}
L <- X * (R * (y - mu))
psi <- L * w + s %*% solve(A) %*% t(t(L) %*% (Z * slope)) + (a - p) %*% (t(share) %*% L) / length(a)
V <- solve(I)
cat(b[2], sqrt((V %*% (t(L * w) %*% (L * w)) %*% V)[2, 2]), sqrt((V %*% (t(psi) %*% psi) %*% V)[2, 2]), "\n")

# Cox
t <- pmin(x$days, 400)
d <- ifelse(x$days > 400, 0, x$died)
ok <- !is.na(t) & !is.na(d)
fit <- coxph(Surv(t, d) ~ a, weights = w, subset = ok, robust = TRUE, control = coxph.control(eps = 1e-15, iter.max = 50))
L <- rep(0, nrow(x))
L[ok] <- as.vector(residuals(fit, type = "score"))
psi <- L * w + as.vector(s %*% solve(A) %*% t(t(L) %*% (Z * slope))) + (a - p) * sum(share * L) / length(a)
cat(coef(fit), sqrt(fit$var), sqrt(sum(psi^2)) * fit$naive.var, "\n")
